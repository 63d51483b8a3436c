/** One kind of bad input: its number, what comes in, what must come out, and the tests that show it. */
export interface Case {
  readonly id: string
  readonly input: string
  readonly outcome: string
  /** `<end of the path of a file>: <part of the name>`, besides the tests whose name begins a word with the number. */
  readonly tests: readonly string[]
}

type Row = readonly [id: string, input: string, outcome: string, ...tests: string[]]

const rows: readonly Row[] = [
  // Git
  ['G01', 'a link out of the tree', 'refused, never read', 'directory.test.ts: a link to a file outside'],
  ['G02', 'a link to a folder outside', 'refused, never read', 'directory.test.ts: a link to a folder outside'],
  ['G03', 'a link inside the tree', 'refused by default'],
  ['G04', 'names such as .. and .git in a tree', 'revision refused'],
  ['G06', 'a nested .git with a command', 'refused, nothing run'],
  ['G07', 'a tree with one name twice', 'revision refused'],
  ['G08', 'reserved names, names that differ in case', 'kept apart'],
  ['G09', 'names that differ in normalisation', 'kept apart, fixed order'],
  ['G11', 'a large blob in a small pack', 'SOURCE_LIMIT before inflating'],
  [
    'G12',
    'packs of many objects, long delta chains',
    'SOURCE_LIMIT',
    'pack/decode.test.ts: a chain of deltas beyond the limit',
    'pack/decode.test.ts: a small delta that states four gibibytes',
  ],
  ['G13', 'many files, deep folders', 'SOURCE_LIMIT names the budget', 'git/hostile.test.ts: exceed a budget'],
  [
    'G14',
    'a truncated or damaged pack',
    'typed error, last revision stays',
    'git/faults.test.ts: the pack ends',
    'git/faults.test.ts: the connection breaks in the pack',
    'pack/decode.test.ts: whatever is flipped in a pack',
  ],
  ['G16', 'a login page instead of Git', 'SOURCE_PROTOCOL', 'git/faults.test.ts: a page of HTML'],
  [
    'G17',
    '401, 403, 404',
    'typed, nothing pruned, no tight loop',
    'git/faults.test.ts: refuses the credentials',
    'git/faults.test.ts: the server forbids',
    'git/faults.test.ts: the repository is hidden',
  ],
  ['G18', 'redirects to elsewhere', 'no credentials leave the origin', 'transport/http.test.ts: a redirect to'],
  [
    'G19',
    'credentials in an address',
    'refused and not repeated',
    'transport/http.test.ts: without repeating a secret',
  ],
  ['G21', 'addresses inside the network', 'DESTINATION_DENIED'],
  ['G22', 'hostile ref names', 'refused by grammar'],
  [
    'G23',
    'force-push, moved tag, deleted branch',
    'held, nothing applied',
    'git/rewrites.test.ts: a force-push is held',
    'git/rewrites.test.ts: a moved tag is held',
    'reconciler/rewrites.test.ts: a rewritten history is told once',
  ],
  [
    'G24',
    'an empty list of refs',
    'an error, never "nothing desired"',
    'git/rewrites.test.ts: a deleted branch is a rewrite',
    'git/faults.test.ts: the list of refs is empty',
  ],
  ['G26', 'unsigned, untrusted, forged commits', 'REVISION_UNVERIFIED, once'],
  ['G27', 'tags for another commit or name', 'REVISION_UNVERIFIED'],
  ['G28', 'a ref that moves during a fetch', 'one revision or the other'],
  ['G29', 'a flood of refs', 'SOURCE_LIMIT', 'git/faults.test.ts: a hundred thousand refs'],
  ['G31', 'a large-file pointer', 'SOURCE_LFS_POINTER'],
  [
    'G32',
    'a missing object',
    'typed error, nothing applied',
    'git/hostile.test.ts: an object that the server leaves out',
  ],
  [
    'G33',
    'a server that sends a byte at a time',
    'given up at its deadline',
    'git/faults.test.ts: sends a byte at a time',
  ],
  [
    'G34',
    'controls of a terminal in names and messages',
    'shown, never obeyed',
    'cli/test/commands.test.ts: steers the terminal',
  ],
  // declarations
  ['Y01', 'billion laughs', 'refused before expanding'],
  ['Y02', 'one large node, many aliases', 'refused before expanding'],
  ['Y04', 'deep nesting', 'refused, process alive'],
  ['Y05', 'a long flat list', 'refused before parsing'],
  ['Y06', '__proto__ and its kin', 'DECLARATION_FORBIDDEN_KEY'],
  ['Y07', 'a key twice', 'refused with its place'],
  [
    'Y09',
    'octal, yes, infinity, dates',
    'read as kubectl does, or refused',
    'declare/declare.test.ts: scalars are read as the tools of Kubernetes',
  ],
  ['Y10', 'numbers that would be rounded', 'refused'],
  ['Y11', 'encodings, control characters, documents', 'read in order, or refused with a place'],
  [
    'Y12',
    'lists in lists, long lists',
    'flattened within limits, or refused',
    'declare/declare.test.ts: refuses an item of a list that is text',
    'declare/declare.test.ts: reads documents, lists and JSON',
  ],
  ['Y14', 'the same object twice', 'refused, both places named', 'build.test.ts: two declarations of one resource'],
  ['Y15', 'generateName only', 'refused', 'declare/declare.test.ts: refuses only generateName'],
  ['Y16', 'durations that are none', 'refused at the option', 'config.test.ts: a mistake names the option'],
  ['Y17', 'annotations of a wrong shape', 'refused or ignored', 'bad-input.test.ts: annotation'],
  [
    'Y19',
    '${VAR}, {{ }}, $(id) in values',
    'literal unless asked for',
    'decode.test.ts: templates stay literal',
    'declare/declare.test.ts: cannot break out of their place',
  ],
  ['Y20', 'very large objects', 'DECLARATION_LIMIT'],
  [
    'Y21',
    'damaged Secrets',
    'an error that does not show the value',
    'declare/declare.test.ts: a Secret whose data is no base64',
    'schema.test.ts: shows no value of the body',
  ],
  ['Y22', 'definition and instance together', 'converges', 'test/target.test.ts: defines a kind and makes one of it'],
  // patches, schemas, patterns
  ['P02', 'patches of places that are not there', 'PATCH_INVALID'],
  ['P03', 'an operation that fails in the middle', 'nothing is changed', 'patch.test.ts: and nothing is changed'],
  ['P04', 'malformed operations', 'PATCH_INVALID'],
  ['P05', 'tests of inherited members', 'missing'],
  ['P07', 'schemas that fetch, recurse or hang', 'refused, nothing fetched'],
  ['P08', 'required names that are inherited', 'reported as missing'],
  ['P09', 'a flood of problems', 'counted, not told'],
  ['P10', 'hostile patterns', 'linear time'],
  ['P12', 'very large differences', 'bounded', 'plan/diff.test.ts: an array that is all different'],
  ['P13', 'merges with __proto__', 'no pollution', 'plan/diff.test.ts: own __proto__ is a member'],
  [
    'P14',
    'defaults and other spellings',
    'no perpetual drift',
    'declare/declare.test.ts: quantities their canonical form',
    'reconciler/reconciler.test.ts: a second run of the same',
  ],
  // webhooks
  ['W01', 'endless, huge, compressed, slow bodies', '413, 415, 408'],
  ['W03', 'a provider that is not configured', '401, nothing parsed'],
  ['W04', 'signed nonsense', '400'],
  ['W05', 'replays', 'one effect'],
  ['W06', 'floods', 'coalesced'],
  ['W08', 'bearer tokens', '401: not offered'],
  ['W09', 'an unknown repository', 'the same answer'],
  ['W10', 'hostile refs and revisions', 'nobody reads them'],
  // Kubernetes
  ['K01', 'cluster-wide kinds of a tenant', 'TENANT_DENIED'],
  ['K03', 'blank identities', 'refused'],
  ['K04', 'a kubeconfig that runs or reads something', 'refused unless allowed'],
  [
    'K05',
    'an apply that is cut anywhere',
    'the next run converges',
    'crash-points.test.ts: of a whole life leaves no orphan',
    'crash-on-disk.test.ts: leaves no orphan',
  ],
  [
    'K06',
    'answers that quote a secret',
    'redacted and capped',
    'client/errors.test.ts: quotes of a Secret is not repeated',
  ],
  [
    'K08',
    'dry-runs and mutating webhooks',
    'a Secret stays masked',
    'k8s-adapter/src/target/canary.real.test.ts: shows nowhere',
  ],
  ['K09', 'an object made again by others', 'not pruned', 'test/watching.test.ts: deleted and made anew'],
  ['K10', 'an object of another application', 'refused, conflict told', 'plan/by-diff.test.ts: another application'],
  ['K11', 'an inventory that names what is not ours', 'refused'],
  [
    'K13',
    'a watch that loses, doubles, expires',
    'equals a list',
    'observe/observe.test.ts: a watch that expired',
    'observe/observe.test.ts: events that come twice or late',
    'test/watching.test.ts: drift is healed also when',
  ],
  [
    'K14',
    'a finalizer that stays',
    'bounded wait, names it',
    'reconciler.test.ts: a wait for health ends at its deadline',
  ],
  ['K15', 'an immutable field', 'refused with a hint', 'bad-input.test.ts: the type of a Secret'],
  [
    'K16',
    'fields of the server in a manifest',
    'left out, with a remark',
    'declare/declare.test.ts: what the server writes is left out',
  ],
  ['K18', 'a token that expires', 'renewed once', 'bad-input.test.ts: a token that expires in the middle'],
  // tools
  ['T01', 'configuration that runs programs', 'refused before init'],
  ['T02', 'names that look like options', 'passed literally, after --', 'target/options.test.ts: looks like an option'],
  ['T03', 'a hostile environment', 'not inherited'],
  ['T05', 'a lock file that does not fit', 'refused, provider not started'],
  [
    'T06',
    'huge plans, secrets in output',
    'capped and masked',
    'target/outputs.real.test.ts: a sensitive one shows nowhere',
  ],
  [
    'T07',
    'a plan for another state or revision',
    'PLAN_STALE',
    'target/plan.real.test.ts: a plan of a state that moved',
  ],
  [
    'T08',
    'an apply that is killed, locks left',
    'recovered, never twice',
    'backend/backend.test.ts: a lock is given up by its holder alone',
    'backend/backend.test.ts: a lock goes with its process',
    'target/crash.real.test.ts: the apply goes on to its end',
    'target/crash.real.test.ts: after a kill nothing is applied until the suspect is resolved',
    'target/crash.real.test.ts: the lock of a killed apply goes once its process is proven dead',
    'target/backend.real.test.ts: a command of somebody else meets the lock',
    'backend/fence.real.test.ts: a forced unlock on the command line is refused',
    'backend/backend.test.ts: two that lock at once',
  ],
  ['T10', 'hostile charts', 'refused before Helm'],
  ['T11', 'hostile archives', 'refused before unpacking'],
  ['T12', 'silent, flooding, deaf, forking tools', 'ended, nothing left'],
  // ledger, queue, configuration
  [
    'Q01',
    'a worker that slept',
    'fenced',
    'ledger/memory.test.ts: a writer that comes too late',
    'apply/each.test.ts: the fence is asked',
  ],
  ['Q03', 'clocks that differ', 'the same result'],
  [
    'Q04',
    'full, read-only, damaged disks',
    'typed error, nothing replaced',
    'file/file.test.ts: a damaged file',
    'file/file.test.ts: a disk that fails',
    'file/crash.test.ts: loses nothing',
  ],
  [
    'Q05',
    'a second process',
    'refused or safe',
    'file/file.test.ts: a second process',
    'sqlite.real.test.ts: two connections to one file',
  ],
  [
    'Q06',
    'another schema version',
    'refused or migrated',
    'file/file.test.ts: of a newer version of the library',
    'postgres.real.test.ts: bring the schema up to date once',
  ],
  [
    'Q08',
    'a commit whose answer was lost',
    'read again',
    'crash-points.test.ts: dying after any act',
    'simulate.test.ts: no invariant is violated',
  ],
  [
    'Q09',
    'a ledger that lost its tail',
    'nothing pruned blindly',
    'reconciler/reconciler.test.ts: nothing that it does not own',
  ],
  [
    'Q10',
    'hostile names',
    'literal, or refused',
    'ledger/memory.test.ts: any name is only a name',
    'postgres.real.test.ts: any name is only a name',
  ],
  ['Q11', 'a flood of requests', 'one or two runs', 'reconciler/queue.test.ts: however often it was added'],
  [
    'Q13',
    'listeners that throw',
    'harm nobody',
    'emitter.test.ts: throws or rejects',
    'emitter.test.ts: answer each other for ever',
  ],
  ['Q14', 'a wrong configuration', 'refused, field named', 'config.test.ts: a mistake names the option'],
  [
    'Q15',
    'odd PostgreSQL servers',
    'works or clear error',
    'postgres.real.test.ts: a server that cannot be reached',
    'odd-servers.real.test.ts: a search path',
    'odd-servers.real.test.ts: a role that may create',
    'odd-servers.real.test.ts: a statement that meets the time limit',
    'odd-servers.real.test.ts: a certificate of nobody',
  ],
  ['Q16', 'stop during apply, twice', 'clean', 'reconciler/reconciler.test.ts: stops without leaving a timer'],
  ['Q18', 'secrets everywhere, a life with failures', 'found nowhere', 'backend.real.test.ts: a canary occurs nowhere'],
]

/** The cases, in the order of the data flow. */
export const cases: readonly Case[] = rows.map(([id, input, outcome, ...tests]) => ({ id, input, outcome, tests }))

/** The suites of the Terraform adapter in `src` number scenarios of their own, some like the cases here. */
const ownNumbers = /terraform-adapter\/src\/.*\.real\.test\.ts$/

/** Whether a test shows something about a case. */
export function shows({ id, tests }: Case, { file, name }: { readonly file: string; readonly name: string }): boolean {
  if (!ownNumbers.test(file) && new RegExp(`\\b${id}\\b`).test(name)) return true
  return tests.some((each) => isMeant(each, file, name))
}

/** The evidence of a case that no test is named like: it would prove nothing without anybody noticing. */
export function missingEvidence(
  { tests }: Case,
  all: readonly { readonly file: string; readonly name: string }[],
): string[] {
  return tests.filter((each) => !all.some(({ file, name }) => isMeant(each, file, name)))
}

function isMeant(evidence: string, file: string, name: string): boolean {
  const [end = '', part = ''] = evidence.split(/: (.*)/s)
  return file.endsWith(end) && name.includes(part)
}
