{{/* EventSources, Sensors and what belongs to them. Call with root, object and plain (the name in the plain file). */}}

{{- define "dns01.embed.EventSource" -}}
{{- $spec := .object.spec }}
{{- include "dns01.events" . }}
{{- if $spec.webhook }}
  {{- $given := get .root.Values.events (trimPrefix "dns01-" .plain) }}
  {{- range $spec.webhook }}{{ $_ := set .authSecret "name" ($given.secretName | default $.object.metadata.name) }}{{ end }}
{{- end }}
{{- with $spec.calendar }}
  {{- $given := $.root.Values.events.calendar }}
  {{- $_ := set .certificate "schedule" $given.schedule }}
  {{- $_ := set .certificate "timezone" $given.timezone }}
  {{- $_ := set .certificate "exclusionDates" $given.exclusionDates }}
  {{- $_ := set .certificate.metadata "certificate" $given.certificate }}
{{- end }}
{{- with $spec.resource }}
  {{- $_ := set .certificate "namespace" ($.root.Values.events.resource.namespace | default $.object.metadata.namespace) }}
{{- end }}
{{- end -}}

{{- define "dns01.embed.Sensor" -}}
{{- include "dns01.events" . }}
{{- if eq .plain "dns01-httpreq" }}
  {{- $given := .root.Values.events.httpreq }}
  {{- $values := dict "provider" $given.provider "credentials-secret" $given.credentialsSecret }}
  {{- range .object.spec.triggers }}
    {{- range .template.k8s.source.resource.spec.arguments.parameters }}
      {{- if hasKey $values .name }}{{ $_ := set . "value" (get $values .name) }}{{ end }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The pod and the bus of an EventSource or a Sensor. */}}
{{- define "dns01.events" -}}
{{- $template := .object.spec.template }}
{{- include "dns01.place" (dict "root" .root "node" $template) }}
{{- with .root.Values.global.imagePullSecrets }}{{ $_ := set $template "imagePullSecrets" . }}{{ end }}
{{- $_ := set .object.spec "eventBusName" .root.Values.events.eventBusName }}
{{- end -}}

{{- define "dns01.embed.Service" -}}
{{- $selector := .object.spec.selector }}
{{- $_ := set $selector "eventsource-name" (include "dns01.rename" (dict "root" .root "name" (get $selector "eventsource-name"))) }}
{{- end -}}
