//go:build tools

// Package tools pins the renderer of charts. Nothing here is compiled on its own.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
