//go:build tools

// Package tools pins the renderer of overlays. Nothing here is compiled on its own.
package tools

import _ "sigs.k8s.io/kustomize/kustomize/v5"
