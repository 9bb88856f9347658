{{/* The renewal of all certificates. Call with root, object and plain (the name in the plain file). */}}

{{- define "dns01.embed.WorkflowTemplate" -}}
{{- if eq .plain "dns01-renew-fleet" }}
{{- $given := .root.Values.renewal }}
{{- $values := dict "mode" $given.mode "max-due" (toString $given.maxDue) }}
{{- range $template := .object.spec.templates }}
  {{- if hasKey $template "parallelism" }}{{ $_ := set $template "parallelism" $given.parallelism }}{{ end }}
  {{- range concat $.object.spec.arguments.parameters ($template.inputs | default dict).parameters }}
    {{- if and (hasKey . "value") (hasKey $values .name) }}{{ $_ := set . "value" (get $values .name) }}{{ end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "dns01.embed.CronWorkflow" -}}
{{- $spec := .object.spec }}
{{- $given := .root.Values.renewal }}
{{- $_ := set $spec "schedules" $given.schedules }}
{{- with $given.timezone }}{{ $_ := set $spec "timezone" . }}{{ else }}{{ $_ := unset $spec "timezone" }}{{ end }}
{{- if $given.suspend }}{{ $_ := set $spec "suspend" true }}{{ end }}
{{- end -}}
