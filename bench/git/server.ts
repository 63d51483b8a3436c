// The server in a process of its own, so that it takes no time of the client. Tells its parent where it is,
// and answers a question for the bytes it has sent so far.
import { startGitServer } from '@gitops-sdk/core/testing/git'

const server = await startGitServer({ backend: 'upload-pack' })
process.on('message', () => process.send?.({ sentBytes: server.requests.reduce((sum, one) => sum + one.sentBytes, 0) }))
process.on('disconnect', () => void server.close())
process.send?.({ url: server.url, folder: server.folder })
