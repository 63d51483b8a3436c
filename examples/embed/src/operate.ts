import { createServer, type Server } from 'node:http'
import type { Reconciler } from '@gitops-sdk/core'
import { logEvents, measureRuns, prometheusMetrics, traceRuns } from '@gitops-sdk/core/telemetry'
import * as api from '@opentelemetry/api'
import type { Logger } from 'pino'

// #region telemetry
/** Everything a reconciler does, as log lines, traces and metrics of the service around it. */
export function observe(reconciler: Reconciler, log: Logger): void {
  logEvents(reconciler, log)
  traceRuns(reconciler, { api, runUrl: (application, id) => `https://platform.example/${application}/runs/${id}` })
  measureRuns(reconciler, { api, maxApplications: 500 })
}
// #endregion telemetry

// #region prometheus
/** The same metrics without OpenTelemetry, on a page that Prometheus reads. */
export function serveMetrics(reconciler: Reconciler): Server {
  const metrics = prometheusMetrics(reconciler)
  return createServer((_request, response) => {
    response.setHeader('Content-Type', metrics.contentType).end(metrics.text())
  })
}
// #endregion prometheus
