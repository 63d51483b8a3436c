import type { JsonObject } from '@gitops-sdk/core'

/** The node whose kubelet kwok plays. */
export const simulatedNode = 'simulated'

const alive = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' }
const inPhase = (phase: string): JsonObject => ({ key: '.status.phase', operator: 'In', values: [phase] })

/** A step in the life of an object: what kwok writes when the object looks as described. */
function stage(name: string, kind: string, matchExpressions: readonly JsonObject[], next: JsonObject): JsonObject {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: { resourceRef: { apiGroup: 'v1', kind }, selector: { matchExpressions: [...matchExpressions] }, next },
  }
}

const condition = (type: string): string => `
- {type: ${type}, status: "True", reason: Simulated, message: "", lastTransitionTime: {{ $now | Quote }}}`

const nodeReady = `{{ $now := Now }}
phase: Running
conditions:${condition('Ready')}
capacity: {cpu: "1000", memory: 1Ti, pods: "10000"}
allocatable: {cpu: "1000", memory: 1Ti, pods: "10000"}
`

const podRuns = `{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
conditions:${['Initialized', 'ContainersReady', 'Ready'].map(condition).join('')}
containerStatuses:
{{ range .spec.containers }}
- {name: {{ .name | Quote }}, image: {{ .image | Quote }}, imageID: "", ready: true, restartCount: 0,
   started: true, state: {running: {startedAt: {{ $now | Quote }}}}}
{{ end }}
`

const podEnds = `{{ $now := Now }}
phase: Succeeded
conditions:
- {type: Ready, status: "False", reason: PodCompleted, message: "", lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- {name: {{ .name | Quote }}, image: {{ .image | Quote }}, imageID: "", ready: false, restartCount: 0,
   started: false, state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}}
{{ end }}
`

/**
 * What the simulated kubelet does, as the file kwok reads: a Pod on its node runs and is ready at once, one of a Job ends
 * well, one that is deleted goes. A Pod with a container whose image is `broken` never becomes ready.
 */
export function kubeletStages(): string {
  const isJob = { key: '.metadata.ownerReferences.[].kind', operator: 'In', values: ['Job'] }
  const works = { key: '.spec.containers.[].image', operator: 'NotIn', values: ['broken'] }
  const unready = { key: '.status.phase', operator: 'NotIn', values: ['Running'] }
  const stages = [
    stage('node-is-ready', 'Node', [unready], { statusTemplate: nodeReady }),
    stage('pod-runs', 'Pod', [alive, inPhase('Pending'), works], { statusTemplate: podRuns }),
    stage('pod-of-a-job-ends', 'Pod', [alive, inPhase('Running'), isJob], { statusTemplate: podEnds }),
    stage('pod-goes', 'Pod', [{ ...alive, operator: 'Exists' }], { delete: true }),
  ]
  return stages.map((each) => JSON.stringify(each)).join('\n---\n')
}
