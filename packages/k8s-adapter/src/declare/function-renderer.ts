import type { JsonObject, Rendered, RenderFolder, Renderer, RunCall } from '@gitops-sdk/core'

/** Makes the objects of a folder in TypeScript. */
export type RenderFunction = (
  folder: RenderFolder,
  call: RunCall,
) => Promise<Iterable<JsonObject>> | Iterable<JsonObject>

/** A function as a renderer. Objects are placed at `name` in messages; `version` counts into the digest. */
export function functionRenderer(name: string, render: RenderFunction, version?: string): Renderer {
  return {
    name,
    async render(folder, call): Promise<Rendered> {
      const bodies = await render(folder, call)
      const documents = [...bodies].map((body) => ({ body, origin: { path: folder.path === '' ? name : folder.path } }))
      return { documents, ...(version !== undefined && { tool: `${name} ${version}` }) }
    },
  }
}
