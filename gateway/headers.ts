/** Headers of one connection, not of the message (RFC 9110, 7.6.1). */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'])
/** Made anew for upstream; a conversation id makes llama-server ignore that the client left (L9). */
const ownToUpstream = new Set(['host', 'content-length', 'expect', 'x-conversation-id'])
const credentials = new Set(['authorization', 'x-api-key'])

/** Names in a Connection header, which belong to that connection alone. */
function namedByConnection (connection: string | undefined): readonly string[] {
  if (connection === undefined) return []
  const lower = connection.toLowerCase()
  if (lower === 'keep-alive' || lower === 'close') return []
  return lower.split(',').map(name => name.trim())
}

/**
 * Request headers as they go upstream, as a flat list of names and values.
 * @param apiKey llama-server's key, in place of whatever the client sent
 * @param dropCredentials the client's key was for the gateway and must not travel on
 */
export function headersToUpstream (headers: ReadonlyMap<string, string>, apiKey: string | undefined, dropCredentials: boolean): string[] {
  const named = namedByConnection(headers.get('connection'))
  const out: string[] = []
  for (const [name, value] of headers) {
    if (hopByHop.has(name) || ownToUpstream.has(name) || named.includes(name)) continue
    if ((dropCredentials || apiKey !== undefined) && credentials.has(name)) continue
    out.push(name, value)
  }
  if (apiKey !== undefined) out.push('authorization', `Bearer ${apiKey}`)
  return out
}

/**
 * Response headers as they go to the client. llama-server allows every page of every origin to read its answers (`Access-Control-*`);
 * which pages may is this gateway's to say (`cors`).
 */
export function headersToClient (headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | string[]> {
  const connection = headers.connection
  const named = namedByConnection(Array.isArray(connection) ? connection.join(',') : connection)
  const out: Record<string, string | string[]> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || hopByHop.has(name) || named.includes(name) || name.startsWith('access-control-')) continue
    out[name] = value
  }
  return out
}
