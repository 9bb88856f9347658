{{/* A Role, and a RoleBinding of the same name. Call with root, name, classes, rules (a list), and namespace where it is another one. */}}
{{- define "dns01.role" }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "dns01.metadata" . | nindent 2 }}
rules:
  {{- range .rules }}
  - {{ toJson . }}
  {{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "dns01.metadata" . | nindent 2 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .name }}}
subjects:
  {{- range .classes }}
  - kind: ServiceAccount
    name: {{ include "dns01.serviceAccountName" (dict "root" $.root "class" .) }}
    namespace: {{ include "dns01.namespace" $.root }}
  {{- end }}
{{- end }}

{{/* A list of one rule in JSON, or of none where there are no names to list. Call with resource, verbs, names; no `names`: for all. */}}
{{- define "dns01.rule" -}}
{{- $rule := dict "apiGroups" (list "") "resources" (list .resource) "verbs" (splitList " " .verbs) -}}
{{- if not (hasKey . "names") -}}
{{- list $rule | toJson -}}
{{- else if .names -}}
{{- list (set $rule "resourceNames" .names) | toJson -}}
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{/*
The rights of each class: the table of steps of the journal's contract. In JSON, by class a list of [kind, verbs], where
kind is state, keys, accounts, adopted, sinks or definitions.
*/}}
{{- define "dns01.rights" -}}
{{- dict
  "order" (list (list "state" "get create patch") (list "keys" "get create patch") (list "accounts" "get create patch") (list "adopted" "get"))
  "issue" (list (list "state" "get patch") (list "keys" "get") (list "accounts" "get"))
  "store" (list (list "state" "get patch") (list "keys" "get") (list "sinks" "get create patch"))
  "cleanup" (list (list "state" "get patch"))
  "check" (list (list "state" "get") (list "definitions" "get") (list "sinks" "get"))
  "onepod" (list (list "state" "get create patch") (list "keys" "get create patch") (list "accounts" "get create patch") (list "adopted" "get") (list "sinks" "get create patch"))
| toJson -}}
{{- end -}}
