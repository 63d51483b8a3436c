// npx -y pnpm@12 record:vectors
// Asks a real API server what the server in memory has to know: the types of the built-in kinds, and the answers to
// the stories of packages/k8s-adapter/test/vectors.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Json, JsonObject } from '@gitops-sdk/core'
import type { HttpClientOptions } from '../packages/k8s-adapter/src/index.ts'
import { startControlPlane } from '../packages/k8s-adapter/src/testing.ts'
import { ask } from '../packages/k8s-adapter/test/vectors/ask.ts'
import { play } from '../packages/k8s-adapter/test/vectors/play.ts'
import { planeFor, stories } from '../packages/k8s-adapter/test/vectors/stories.ts'
import { kindsOf, type Published, shapesOf } from './cluster-shapes.ts'

await using plane = await startControlPlane(planeFor('usual'))
await using uncached = await startControlPlane(planeFor('without a cache'))
const published = await publishedBy(plane.connection())
write('../packages/k8s-adapter/src/testing/api-server/built-in.ts', builtIn(published))
const recorded: Record<string, Json> = {}
for (const story of stories) recorded[story.name] = await play(story.how === 'usual' ? plane : uncached, story)
write('../packages/k8s-adapter/test/vectors/recorded.json', `${JSON.stringify(recorded, null, 1)}\n`)
console.log(`recorded ${stories.length} stories, ${stories.flatMap(({ questions }) => questions).length} answers`)

function write(path: string, text: string): void {
  const file = fileURLToPath(new URL(path, import.meta.url))
  writeFileSync(file, text)
  execFileSync('npx', ['oxfmt', file], { stdio: 'ignore' })
}

async function publishedBy(connection: HttpClientOptions): Promise<Published> {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const read = async (path: string): Promise<JsonObject> => {
    const { body } = await ask(connection, { ask: `GET ${path}`, ...(path.startsWith('/api') && { accept }) })
    return (typeof body === 'string' ? JSON.parse(body) : body) as JsonObject
  }
  const { paths } = (await read('/openapi/v3')) as { paths: Record<string, { serverRelativeURL: string }> }
  const documents: Record<string, JsonObject> = {}
  for (const [name, { serverRelativeURL }] of Object.entries(paths)) documents[name] = await read(serverRelativeURL)
  const groups = [await read('/api'), await read('/apis')].flatMap(({ items }) => items as JsonObject[])
  return { documents, groups }
}

function builtIn(given: Published): string {
  return `// Written by \`pnpm record:vectors\` from a real API server: do not edit. The notation is that of shape.ts and kinds.ts.

/** The types of the built-in kinds. */
export const builtInTypes: string = \`
${shapesOf(given)}
\`

/** What is served before anything is defined. */
export const builtInKinds: string = \`
${kindsOf(given)}
\`
`
}
