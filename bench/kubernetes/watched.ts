import { type Generated, kubernetesObjects } from '../shapes/generate.ts'

/** Where the kinds of the generator are. Its services are left out: a test server has few addresses to give. */
export const watchedPaths: Readonly<Record<string, string>> = {
  Deployment: '/apis/apps/v1/namespaces/NAMESPACE/deployments',
  ConfigMap: '/api/v1/namespaces/NAMESPACE/configmaps',
  Ingress: '/apis/networking.k8s.io/v1/namespaces/NAMESPACE/ingresses',
}

/** The objects that are watched. */
export function watchedObjects(amount: number): readonly Generated[] {
  return [...kubernetesObjects(amount * 2)].filter(({ kind }) => kind in watchedPaths).slice(0, amount)
}
