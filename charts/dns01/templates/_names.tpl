{{/* Names and labels. */}}

{{- define "dns01.fullname" -}}
{{- $name := .Values.nameOverride | default "dns01" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 30 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 30 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "dns01.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end -}}

{{/* The name here of what is called `name` in the plain files. Call with root and name. */}}
{{- define "dns01.rename" -}}
{{- if or (eq .name "dns01") (hasPrefix "dns01-" .name) -}}
{{- printf "%s%s" (include "dns01.fullname" .root) (trimPrefix "dns01" .name) -}}
{{- else -}}
{{- .name -}}
{{- end -}}
{{- end -}}

{{/* The name of a class's account. Call with root and class. */}}
{{- define "dns01.serviceAccountName" -}}
{{- $given := get .root.Values.serviceAccounts .class | default dict -}}
{{- $given.name | default (printf "%s-%s" (include "dns01.fullname" .root) .class) -}}
{{- end -}}

{{/* What every object carries, as a mapping in JSON. Argo's controllers look for the instance ID. */}}
{{- define "dns01.labels" -}}
{{- $labels := dict
  "app.kubernetes.io/name" (.Values.nameOverride | default "dns01")
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version) -}}
{{- with .Values.argo.instanceID }}{{ $_ := set $labels "workflows.argoproj.io/controller-instanceid" . }}{{ end -}}
{{- merge $labels .Values.global.commonLabels | toJson -}}
{{- end -}}

{{/* The fields of `metadata` but `labels` of our own and annotations. Call with root and name, and namespace where it is another one. */}}
{{- define "dns01.metadata" -}}
name: {{ .name }}
namespace: {{ .namespace | default (include "dns01.namespace" .root) }}
labels:
  {{- include "dns01.labels" .root | fromJson | toYaml | nindent 2 }}
{{- end -}}

{{- define "dns01.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}
