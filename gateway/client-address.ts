import { isIP } from 'node:net'

/** What of a request tells where it comes from. */
export interface Addressed {
  /** By Fastify: the other end of the connection, or what a trusted proxy says in X-Forwarded-For. */
  readonly ip: string
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/**
 * The client's address; a name for the records of one whose connection is gone already. Fastify does not check what a trusted proxy says: what is no
 * address counts for nothing, so that no client of a careless proxy can choose a new name for each call.
 */
export function clientAddress ({ ip, socket }: Addressed): string {
  return isIP(ip) === 0 ? socket.remoteAddress ?? 'unknown' : ip
}
