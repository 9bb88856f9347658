// What `argo retry` makes of a Workflow, without an Argo server: the Workflow as JSON comes in, and a list goes out of the
// Workflow to be written back and of the pods to be deleted first.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	workflow "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/util/logging"
	"github.com/argoproj/argo-workflows/v4/workflow/util"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "argo-retry:", err)
		os.Exit(1)
	}
}

func run() error {
	var failed workflow.Workflow
	if err := json.NewDecoder(os.Stdin).Decode(&failed); err != nil {
		return err
	}
	ctx := logging.WithLogger(context.Background(), logging.NewSlogLogger(logging.Error, logging.Text))
	retried, pods, err := util.FormulateRetryWorkflow(ctx, &failed, false, "", nil)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode([]any{retried, pods})
}
