// The Kubernetes provider, built from its published Go module. The module lacks the file that its own main embeds,
// so the build copies schema.json and terraform-mapping.json from the module to this file's side.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var mapping []byte

func main() { provider.Serve("kubernetes", "4.30.0", schema, mapping) }
