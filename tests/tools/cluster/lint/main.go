// Lints what is given, files or folders of YAML, as Argo Workflows would: `argo lint --offline --strict` without a CLI.
//
// The workflows that Sensors start are linted too, against the templates given with them. And since neither Argo Events'
// controller nor its linter minds an unknown field, EventBuses, EventSources and Sensors are read strictly here.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	events "github.com/argoproj/argo-events/pkg/apis/events/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/cmd/argo/lint"
	"github.com/argoproj/argo-workflows/v4/pkg/apiclient"
	"github.com/argoproj/argo-workflows/v4/util/logging"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	yamlstream "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: argo-lint FILE|FOLDER…")
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "argo-lint:", err)
		os.Exit(1)
	}
}

func run(paths []string) error {
	started, err := os.MkdirTemp("", "argo-lint-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(started)
	refused := 0
	for _, path := range paths {
		err := filepath.WalkDir(path, func(file string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(file) != ".yaml" {
				return err
			}
			return eachDocument(file, func(document []byte) {
				if err := lintEvents(document, started); err != nil {
					fmt.Printf("%s: %v\n", file, err)
					refused++
				}
			})
		})
		if err != nil {
			return err
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d objects of Argo Events refused", refused)
	}
	return lintWorkflows(append(paths, started))
}

func lintWorkflows(paths []string) error {
	// The linter says what it has found by ending the process.
	found := false
	logging.SetExitFunc(func(int) { found = true })
	ctx := logging.WithLogger(context.Background(), logging.NewSlogLogger(logging.Error, logging.Text))
	ctx, client, err := apiclient.NewClientFromOptsWithContext(ctx, apiclient.Opts{Offline: true, OfflineFiles: paths})
	if err != nil {
		return err
	}
	kinds := []string{"workflows", "workflowtemplates", "cronworkflows", "clusterworkflowtemplates"}
	options := lint.LintOptions{Files: paths, Strict: true, Printer: os.Stdout}
	if err := lint.RunLint(ctx, client, kinds, "simple", true, options); err != nil {
		return err
	}
	if found {
		return errors.New("refused")
	}
	return nil
}

func eachDocument(file string, use func([]byte)) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	documents := yamlstream.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		use(document)
	}
}

// lintEvents reads an object of Argo Events strictly, and writes the workflows that it starts into a folder.
func lintEvents(document []byte, started string) error {
	var object unstructured.Unstructured
	if err := yaml.Unmarshal(document, &object.Object); err != nil {
		return err
	}
	if !strings.HasPrefix(object.GetAPIVersion(), "argoproj.io/") {
		return nil
	}
	switch kind := object.GetKind(); kind {
	case "EventBus":
		return yaml.UnmarshalStrict(document, &events.EventBus{})
	case "EventSource":
		return yaml.UnmarshalStrict(document, &events.EventSource{})
	case "Sensor":
		var sensor events.Sensor
		if err := yaml.UnmarshalStrict(document, &sensor); err != nil {
			return err
		}
		return writeStarted(&sensor, started)
	default:
		return nil
	}
}

func writeStarted(sensor *events.Sensor, folder string) error {
	for _, trigger := range sensor.Spec.Triggers {
		if trigger.Template == nil || trigger.Template.K8s == nil || trigger.Template.K8s.Source.Resource == nil {
			continue
		}
		var workflow unstructured.Unstructured
		if err := json.Unmarshal(trigger.Template.K8s.Source.Resource.Value, &workflow.Object); err != nil {
			return err
		}
		// The name is made when an event comes.
		workflow.SetName("started-by-" + sensor.Name + "-" + trigger.Template.Name)
		workflow.SetNamespace(sensor.Namespace)
		text, err := yaml.Marshal(workflow.Object)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, workflow.GetName()+".yaml"), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
