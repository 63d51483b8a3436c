//go:build tools

// Package tools pins the store of a control plane. Nothing here is compiled on its own.
package tools

import _ "go.etcd.io/etcd/server/v3"
