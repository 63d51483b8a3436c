import type { Claim } from '../../queue/queue.ts'

/** The key of an application in the shared queue. */
export function applicationKey(name: string): string {
  return `application/${name}`
}

/** What a key names. */
export function nameOf({ key }: Pick<Claim, 'key'>): string {
  return key.slice(key.indexOf('/') + 1)
}
