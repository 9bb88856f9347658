package executor

// Lookup is what labels.Labels has besides since Kubernetes 0.34; Argo Workflows 4.0 is written for 0.33.
func (g gjsonLabels) Lookup(label string) (string, bool) { return g.Get(label), g.Has(label) }
