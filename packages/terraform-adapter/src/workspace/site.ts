import { createHash } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Redactor, createRedactor } from '@gitops-sdk/core'
import { type LeaseBook, leaseBook } from '../backend/lease.ts'
import { type StateVersions, stateVersions } from '../backend/versions.ts'
import { whenAbsent } from '../store/blobs.ts'
import type { Kit } from './kit.ts'
import { variablesFile } from './module.ts'

/** The place of one application: its folders, its state, and what was learned about its secrets. */
export interface Site {
  readonly application: string
  readonly folder: string
  /** The module as files, initialised. */
  readonly work: string
  /** One folder for each run under way, or not settled. */
  readonly runs: string
  /** The first part of the names of its blobs. */
  readonly prefix: string
  readonly versions: StateVersions
  readonly leases: LeaseBook
  /** Knows every secret value that was seen. */
  readonly redactor: Redactor
  /** One command at a time: they share the working folder. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
}

/** The sites of a target, made when they are first used. */
export function siteBook(kit: Kit): (application: string) => Promise<Site> {
  const sites = new Map<string, Promise<Site>>()
  return (application) => {
    const known = sites.get(application) ?? openSite(kit, application)
    sites.set(application, known)
    known.catch(() => sites.delete(application))
    return known
  }
}

async function openSite(kit: Kit, application: string): Promise<Site> {
  const name = folderName(kit.workspace === 'default' ? application : `${application} ${kit.workspace}`)
  const folder = join(kit.folder, 'applications', name)
  const runs = join(folder, 'runs')
  await mkdir(runs, { recursive: true, mode: 0o700 })
  const { blobs } = await kit.store()
  const prefix = `applications/${name}`
  const keep = kit.backend.kind === 'managed' ? kit.backend.keepVersions : 1
  return {
    application,
    folder,
    work: join(folder, 'work'),
    runs,
    prefix,
    versions: stateVersions(blobs, prefix, keep),
    leases: leaseBook(blobs, prefix),
    redactor: createRedactor(),
    inTurn: turns(),
  }
}

/** Removes what can be made again; runs that are not settled stay. */
export async function leaveSite({ work, folder }: Site): Promise<void> {
  for (const path of [work, join(folder, 'home')]) await rm(path, { recursive: true, force: true, maxRetries: 3 })
}

/** Removes the variables beside the module, where a process died while a command needed them. */
export async function removeVariables({ work }: Site): Promise<void> {
  const names = await readdir(work, { recursive: true }).catch(whenAbsent([]))
  for (const name of names.filter((each) => each.endsWith(variablesFile))) await rm(join(work, name), { force: true })
}

/** Readable, and never two applications in one folder. */
function folderName(application: string): string {
  const readable = application.replace(/[^A-Za-z0-9-]/g, '-').slice(0, 40)
  return `${readable}-${createHash('sha256').update(application).digest('hex').slice(0, 12)}`
}

function turns(): Site['inTurn'] {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last.then(work)
    last = mine.catch(() => {})
    return mine
  }
}
