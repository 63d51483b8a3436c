/** A queue, seen by the benchmark: a key is a number, and what is done for it is nothing. */
export interface Engine extends AsyncDisposable {
  /** Makes keys due, in one request. */
  enqueue(keys: readonly number[], revision: number): Promise<void>
  /** Works on what is due, `batch` at a time where the queue knows that, until it is disposed of. */
  work(batch: number, observer: Observer): Promise<AsyncDisposable>
}

/** Who is told what a worker does. */
export interface Observer {
  /** The handler of a key begins. */
  readonly began: (key: number) => void
  /** The queue has stored that something is done. */
  readonly settled: () => void
}

/** Where an engine finds its server, and where its package was installed when it is not ours. */
export interface Place {
  readonly url: string
  readonly folder: string
}

export type OpenEngine = (place: Place) => Promise<Engine>

/** Keys of one request. */
export const requestSize = 500
