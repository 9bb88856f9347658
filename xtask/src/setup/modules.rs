//! What is built of Go: the modules pinned under `tests/tools`, and the programs of each. How is in `go`.

/// A Go module under `tests/tools` and the programs that are built from it.
pub(super) struct Module {
    pub(super) folder: &'static str,
    /// Name below `.tools/bin`, and package.
    pub(super) programs: &'static [(&'static str, &'static str)],
    /// A link of a module's repository that its archive lacks: where it lies below `vendor`, and what it points to.
    pub(super) link: Option<(&'static str, &'static str)>,
    /// The manifests that the tests install: name below `.tools/manifests`, and the module whose they are.
    pub(super) manifests: &'static [(&'static str, &'static str)],
}

pub(super) const PEBBLE: Module = module(
    "pebble",
    &[
        ("pebble", "github.com/letsencrypt/pebble/v2/cmd/pebble"),
        ("pebble-challtestsrv", "github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv"),
    ],
);
/// A peer of the benches. Its checksums are those that its own release carries: Go's database lacks some of them.
pub(super) const LEGO: Module = module("lego", &[("lego", "github.com/go-acme/lego/v5")]);
/// What every test run needs besides.
pub(super) const TESTS: [Module; 3] = [
    Module {
        link: Some((
            "github.com/argoproj/argo-workflows/v4/workflow/executor/osspecific/signal_linux.go",
            "signal_darwin.go",
        )),
        manifests: &[
            ("argo-workflows", "github.com/argoproj/argo-workflows/v4"),
            ("argo-events", "github.com/argoproj/argo-events"),
        ],
        // One module, so that all are built of the same Kubernetes: most of each is Kubernetes, which compiles for minutes.
        ..module(
            "cluster",
            &[
                ("etcd", "go.etcd.io/etcd/server/v3"),
                ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
                ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
                ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
                ("kubelet", "k8s.io/kubernetes/cmd/kubelet"),
                ("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy"),
                ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
                ("helm", "helm.sh/helm/v4/cmd/helm"),
                (
                    "workflow-controller",
                    "github.com/argoproj/argo-workflows/v4/cmd/workflow-controller",
                ),
                ("argoexec", "github.com/argoproj/argo-workflows/v4/cmd/argoexec"),
                ("argo-lint", "dns01.invalid/tools/cluster/lint"),
                ("argo-retry", "dns01.invalid/tools/cluster/retry"),
                ("argo-events", "github.com/argoproj/argo-events/cmd"),
            ],
        )
    },
    module("nats", &[("nats-server", "github.com/nats-io/nats-server/v2")]),
    module("kubeconform", &[("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform")]),
];
/// The older Argo of the longer tests.
pub(super) const SOAK: Module = Module {
    link: Some((
        "github.com/argoproj/argo-workflows/v3/workflow/executor/osspecific/signal_linux.go",
        "signal_darwin.go",
    )),
    manifests: &[("argo-workflows-3.7", "github.com/argoproj/argo-workflows/v3")],
    ..module(
        "argo-workflows-3.7",
        &[
            (
                "workflow-controller-3.7",
                "github.com/argoproj/argo-workflows/v3/cmd/workflow-controller",
            ),
            ("argoexec-3.7", "github.com/argoproj/argo-workflows/v3/cmd/argoexec"),
        ],
    )
};

const fn module(folder: &'static str, programs: &'static [(&'static str, &'static str)]) -> Module {
    Module { folder, programs, link: None, manifests: &[] }
}
