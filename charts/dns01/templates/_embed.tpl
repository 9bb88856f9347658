{{/* Plain YAML of the repository, with what the values change in it. */}}

{{/* Emits the objects of one file; accounts and rights are made from the values instead. Call with root and text. */}}
{{- define "dns01.embed" -}}
{{- $root := .root }}
{{- range $text := regexSplit "(?m)^---$" .text -1 }}
{{- $object := fromYaml $text }}
{{- if has $object.kind (list "WorkflowTemplate" "CronWorkflow" "EventSource" "Sensor" "Service" "NetworkPolicy") }}
{{- $call := dict "root" $root "object" $object "plain" $object.metadata.name }}
{{- $_ := set $object.metadata "name" (include "dns01.rename" (dict "root" $root "name" $object.metadata.name)) }}
{{- $_ := set $object.metadata "namespace" (include "dns01.namespace" $root) }}
{{- $labels := include "dns01.labels" $root | fromJson }}
{{- $_ := set $object.metadata "labels" (mustMergeOverwrite ($object.metadata.labels | default dict) $labels) }}
{{- include "dns01.walk" (dict "root" $root "node" $object.spec) }}
{{- include (printf "dns01.embed.%s" $object.kind) $call }}
---
{{ toYaml $object }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Changes everything below `node`: names of what we install, images, pods. Call with root and node. */}}
{{- define "dns01.walk" -}}
{{- $root := .root }}
{{- $node := .node }}
{{- if kindIs "map" $node }}
  {{- if and (kindIs "map" $node.container) (hasKey ($node.container | default dict) "image") }}{{ include "dns01.pod" . }}{{ end }}
  {{- if eq (toString $node.kind) "Workflow" }}{{ include "dns01.workflow" . }}{{ end }}
  {{- range $key, $value := $node }}
    {{- if eq $key "serviceAccountName" }}
      {{- $_ := set $node $key (include "dns01.serviceAccountName" (dict "root" $root "class" (trimPrefix "dns01-" $value))) }}
    {{- else if eq $key "eventSourceName" }}
      {{- $_ := set $node $key (include "dns01.rename" (dict "root" $root "name" $value)) }}
    {{- else if has $key (list "templateRef" "workflowTemplateRef") }}
      {{- $_ := set $value "name" (include "dns01.rename" (dict "root" $root "name" $value.name)) }}
    {{- else if eq $key "parameters" }}
      {{- include "dns01.parameters" (dict "root" $root "parameters" $value) }}
    {{- else }}
      {{- include "dns01.walk" (dict "root" $root "node" $value) }}
    {{- end }}
  {{- end }}
{{- else if kindIs "slice" $node }}
  {{- range $node }}{{ include "dns01.walk" (dict "root" $root "node" .) }}{{ end }}
{{- end }}
{{- end -}}

{{/* A Workflow that a Sensor makes: its controller must know it for one of its own. Call with root and node. */}}
{{- define "dns01.workflow" -}}
{{- $labels := merge (.node.metadata.labels | default dict) .root.Values.global.commonLabels }}
{{- with .root.Values.argo.instanceID }}{{ $_ := set $labels "workflows.argoproj.io/controller-instanceid" . }}{{ end }}
{{- with $labels }}{{ $_ := set $.node.metadata "labels" . }}{{ end }}
{{- end -}}

{{/* Where definitions are looked for by default. */}}
{{- define "dns01.parameters" -}}
{{- $root := .root }}
{{- range .parameters }}
  {{- if and (eq (toString .name) "definitions") (eq (toString .value) "dns01") }}
    {{- $_ := set . "value" (include "dns01.configMaps" $root | fromJsonArray | join ",") }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* A template that runs a pod. Call with root and node. */}}
{{- define "dns01.pod" -}}
{{- $root := .root }}
{{- $node := .node }}
{{- include "dns01.place" . }}
{{- with $root.Values.pod.volumes }}{{ $_ := set $node "volumes" (concat ($node.volumes | default list) .) }}{{ end }}
{{- /* The only way by which pull secrets travel with a templateRef. */}}
{{- with $root.Values.global.imagePullSecrets }}
  {{- $_ := set $node "podSpecPatch" (printf "%simagePullSecrets: %s\n" ($node.podSpecPatch | default "") (toJson .)) }}
{{- end }}
{{- range concat (list $node.container) ($node.initContainers | default list) ($node.sidecars | default list) }}
  {{- include "dns01.container" (dict "root" $root "container" .) }}
{{- end }}
{{- end -}}

{{/* Where a pod runs, and what it carries. Call with root and node. */}}
{{- define "dns01.place" -}}
{{- $root := .root }}
{{- $pod := $root.Values.pod }}
{{- $node := .node }}
{{- with $pod.nodeSelector | default $root.Values.global.nodeSelector }}{{ $_ := set $node "nodeSelector" . }}{{ end }}
{{- range $key := list "tolerations" "affinity" "priorityClassName" }}
  {{- with get $pod $key }}{{ $_ := set $node $key . }}{{ end }}
{{- end }}
{{- $metadata := $node.metadata | default dict }}
{{- with merge dict ($metadata.labels | default dict) $pod.labels $root.Values.global.commonLabels }}{{ $_ := set $metadata "labels" . }}{{ end }}
{{- with merge dict ($metadata.annotations | default dict) $pod.annotations }}{{ $_ := set $metadata "annotations" . }}{{ end }}
{{- with $metadata }}{{ $_ := set $node "metadata" . }}{{ end }}
{{- end -}}

{{/* One of our containers. Call with root and container. */}}
{{- define "dns01.container" -}}
{{- $root := .root }}
{{- $container := .container }}
{{- if hasPrefix "ghcr.io/dns01/dns01:" $container.image }}
  {{- $_ := set $container "image" (include "dns01.image" $root) }}
  {{- with $root.Values.image.pullPolicy }}{{ $_ := set $container "imagePullPolicy" . }}{{ end }}
{{- end }}
{{- with $root.Values.pod.resources }}{{ $_ := set $container "resources" . }}{{ end }}
{{- with $root.Values.pod.extraEnv }}{{ $_ := set $container "env" (concat ($container.env | default list) .) }}{{ end }}
{{- with $root.Values.pod.volumeMounts }}{{ $_ := set $container "volumeMounts" (concat ($container.volumeMounts | default list) .) }}{{ end }}
{{- end -}}
