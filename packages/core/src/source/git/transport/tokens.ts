import type { CredentialsProvider, GitCredentials } from './credentials.ts'

/** A token, or what gives the current one. */
export type TokenSource = string | (() => Promise<string> | string)

/** A personal, fine-grained or job token of GitHub. */
export function githubToken(token: TokenSource): CredentialsProvider {
  return withToken(token, (password) => ({ username: 'x-access-token', password }))
}

/** A personal, project, group or deploy token of GitLab; a deploy token needs its user name. */
export function gitlabToken(token: TokenSource, username = 'oauth2'): CredentialsProvider {
  return withToken(token, (password) => ({ username, password }))
}

/** A token of Gitea or Forgejo. */
export function giteaToken(token: TokenSource): CredentialsProvider {
  return withToken(token, (password) => ({ username: 'git', password }))
}

/** User name and password, or an app password. */
export function basicCredentials(username: string, password: TokenSource): CredentialsProvider {
  return withToken(password, (secret) => ({ username, password: secret }))
}

/** A token that is sent as `Bearer`, such as one of Azure DevOps or Bitbucket Data Center. */
export function bearerToken(token: TokenSource): CredentialsProvider {
  return withToken(token, (bearer) => ({ bearer }))
}

function withToken(token: TokenSource, make: (token: string) => GitCredentials): CredentialsProvider {
  return async () => make(typeof token === 'string' ? token : await token())
}
