//go:build tools

// Package tools pins the simulator of nodes and pods. Nothing here is compiled on its own.
package tools

import _ "sigs.k8s.io/kwok/cmd/kwok"
