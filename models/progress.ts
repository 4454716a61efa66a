/** What a long step reports while it runs. A download starts again from 0 when the server cannot resume. */
export interface Progress {
  readonly step: 'write' | 'download' | 'checksum'
  readonly doneBytes: number
  readonly totalBytes: number
}

export type OnProgress = (progress: Progress) => void
