import type { ResourceRef } from '@gitops-sdk/core'

/** The identity of the resource at an address: its type, its module, and the rest. */
export function refAt(address: string): ResourceRef {
  const module = /^(?:module\.[^.[]+(?:\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?\.)+/.exec(address)?.[0].slice(0, -1)
  const local = module === undefined ? address : address.slice(module.length + 1)
  const dot = local.indexOf('.')
  return { kind: local.slice(0, dot), ...(module !== undefined && { namespace: module }), name: local.slice(dot + 1) }
}

/** The address of a resource. */
export function addressOf({ kind, namespace, name }: ResourceRef): string {
  return `${namespace === undefined ? '' : `${namespace}.`}${kind}.${name}`
}
