import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServerUnaryCall, ServiceDefinition, UntypedServiceImplementation, sendUnaryData } from '@grpc/grpc-js'
import { type FakeCloud, fakeCloud } from './fake-cloud.ts'
import { type Method, type MethodName, methods } from './protocol.ts'
import { type ProviderBehaviour, recordProvider } from './provider.ts'
import { messagePackValues } from './values.ts'
import { type Message, decode, encode } from './wire.ts'

/** The address under which modules require the provider. */
export const fakeProviderSource = 'example.test/gitops/fake'

/** A provider that runs in this process, and the cloud behind it. */
export interface FakeCloudProvider extends AsyncDisposable {
  readonly cloud: FakeCloud
  /** What attaches the binary to it: add it to the environment of the target. */
  readonly environment: { readonly TF_REATTACH_PROVIDERS: string }
  /** The block of a module that requires it. */
  readonly requirement: string
  /**
   * Writes a program that the binary starts as the provider: it leads to this process. Give `TF_DISABLE_PLUGIN_TLS=1`
   * with it. Resolves to its path in `folder`.
   */
  writeLauncher(folder: string, version?: string): Promise<string>
}

/** What a provider is made of. */
export interface FakeCloudProviderOptions extends Partial<ProviderBehaviour> {
  /** The cloud it manages. Give the same one to a second provider to play a restart. @defaultValue an empty one */
  readonly cloud?: FakeCloud
}

/**
 * Serves a real provider for Terraform and OpenTofu (protocol 6 over gRPC on loopback) whose cloud is a map
 * in this process: edit it to play out-of-band changes. Needs the packages `@grpc/grpc-js` and
 * `@msgpack/msgpack`.
 */
export async function fakeCloudProvider(options: FakeCloudProviderOptions = {}): Promise<FakeCloudProvider> {
  const { cloud = fakeCloud(), cancellation = 'polite', volatile = false, readDelayMs = 0 } = options
  const grpc = await import('@grpc/grpc-js')
  const server = new grpc.Server()
  const crash = (): void => server.forceShutdown()
  const handlers = recordProvider(cloud, { cancellation, volatile, readDelayMs }, await messagePackValues(), crash)
  server.addService(serviceOf(methods), answering(handlers))
  const port = await new Promise<number>((resolve, reject) => {
    const done = (error: Error | null, bound: number): void => (error ? reject(error) : resolve(bound))
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), done)
  })
  return {
    cloud,
    environment: { TF_REATTACH_PROVIDERS: reattach(port) },
    requirement: `terraform {\n  required_providers {\n    fake = {\n      source = "${fakeProviderSource}"\n    }\n  }\n}\n`,
    writeLauncher: async (folder, version) => {
      const path = join(folder, `terraform-provider-fake${version === undefined ? '' : `_v${version}`}`)
      await mkdir(folder, { recursive: true })
      // The line with which a plugin says where it listens.
      await writeFile(path, `#!/bin/sh\necho '1|6|tcp|127.0.0.1:${port}|grpc'\nexec sleep 600\n`, { mode: 0o755 })
      return path
    },
    async [Symbol.asyncDispose]() {
      server.forceShutdown()
    },
  }
}

function reattach(port: number): string {
  // `Test` keeps the binary from ending this process when it is done.
  const address = { Network: 'tcp', String: `127.0.0.1:${port}` }
  const plugin = { Protocol: 'grpc', ProtocolVersion: 6, Pid: process.pid, Test: true, Addr: address }
  return JSON.stringify({ [fakeProviderSource]: plugin })
}

function serviceOf(served: Readonly<Record<string, Method>>): ServiceDefinition {
  const entries = Object.entries(served).map(([name, { request, answer }]) => [
    name,
    {
      path: `/tfplugin6.Provider/${name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (message: Message) => encode(request, message),
      requestDeserialize: (bytes: Buffer) => decode(request, bytes),
      responseSerialize: (message: Message) => encode(answer, message),
      responseDeserialize: (bytes: Buffer) => decode(answer, bytes),
    },
  ])
  return Object.fromEntries(entries) as ServiceDefinition
}

function answering(handlers: ReturnType<typeof recordProvider>): UntypedServiceImplementation {
  const entries = (Object.keys(handlers) as MethodName[]).map((name) => {
    const answer = (call: ServerUnaryCall<Message, Message>, done: sendUnaryData<Message>): void => {
      void answerCall(handlers[name], call.request, done)
    }
    return [name, answer]
  })
  return Object.fromEntries(entries) as UntypedServiceImplementation
}

async function answerCall(
  handler: (request: Message) => Promise<Message> | Message,
  request: Message,
  done: sendUnaryData<Message>,
): Promise<void> {
  try {
    done(null, await handler(request))
  } catch (error) {
    done({ code: 13, details: String(error) })
  }
}
