{{/* NetworkPolicies. Call with root, object and plain (the name in the plain file). */}}
{{- define "dns01.embed.NetworkPolicy" -}}
{{- $root := .root }}
{{- $ports := list }}
{{- range $root.Values.networkPolicy.ports }}{{ $ports = append $ports (dict "protocol" "TCP" "port" .) }}{{ end }}
{{- range .object.spec.egress }}
  {{- $plain := list }}
  {{- range .ports }}{{ if ne (int .port) 6443 }}{{ $plain = append $plain . }}{{ end }}{{ end }}
  {{- $_ := set . "ports" (concat $plain $ports) }}
{{- end }}
{{- range .object.spec.ingress }}
  {{- with $root.Values.networkPolicy.webhookFrom }}{{ $_ := set $.object.spec "ingress" (list (dict "ports" (index $.object.spec.ingress 0).ports "from" .)) }}{{ end }}
{{- end }}
{{- range .object.spec.podSelector.matchExpressions }}
  {{- $values := list }}
  {{- range .values }}{{ $values = append $values (include "dns01.rename" (dict "root" $root "name" .)) }}{{ end }}
  {{- if $values }}{{ $_ := set . "values" $values }}{{ end }}
{{- end }}
{{- end -}}
