{{/* What `config` says: who may do what follows from it. */}}

{{/* `config` as a mapping, in JSON. */}}
{{- define "dns01.config" -}}
{{- $config := .Values.config -}}
{{- if kindIs "string" $config -}}
{{- $config = $config | fromYaml -}}
{{- if hasKey $config "Error" }}{{ fail (printf "config is no YAML: %s" $config.Error) }}{{ end -}}
{{- end -}}
{{- $config | toJson -}}
{{- end -}}

{{/* Names of the ConfigMaps with definitions, in JSON. */}}
{{- define "dns01.configMaps" -}}
{{- .Values.existingConfigMaps | default (list (include "dns01.fullname" .)) | toJson -}}
{{- end -}}

{{/*
In JSON: `certificates` (names), `issuers` (names), `secrets` that `order` may read (account keys to adopt, HMAC keys),
`credentials` (Secrets of solvers), `sinks` (by namespace: names of Secrets).
*/}}
{{- define "dns01.found" -}}
{{- $config := include "dns01.config" . | fromJson -}}
{{- $here := include "dns01.namespace" . -}}
{{- $found := dict "certificates" list "issuers" list "secrets" list "credentials" list "sinks" (dict $here list) -}}
{{- range $name, $issuer := $config.issuers }}
  {{- $_ := set $found "issuers" (append $found.issuers $name) }}
  {{- with $issuer.privateKeySecretRef }}{{ $_ := set $found "secrets" (append $found.secrets .name) }}{{ end }}
  {{- with ($issuer.externalAccountBinding | default dict).keySecretRef }}{{ $_ := set $found "secrets" (append $found.secrets .name) }}{{ end }}
{{- end }}
{{- range $config.solvers }}
  {{- with (.credentials | default dict).secretName }}{{ $_ := set $found "credentials" (append $found.credentials .) }}{{ end }}
{{- end }}
{{- $certificates := list }}
{{- range $certificate := $config.certificates }}
  {{- $certificates = append $certificates (required "config: a certificate has no name" $certificate.name) }}
  {{- $usual := list (dict "secret" (dict "name" ($certificate.secretName | default (printf "%s-tls" $certificate.name)))) }}
  {{- range $certificate.sinks | default $usual }}
    {{- with .secret }}
      {{- $namespace := .namespace | default $here }}
      {{- $_ := set $found.sinks $namespace (append (get $found.sinks $namespace | default list) .name) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- $_ := set $found "certificates" $certificates }}
{{- range $key := list "secrets" "credentials" }}{{ $_ := set $found $key (get $found $key | uniq | sortAlpha) }}{{ end }}
{{- range $namespace, $names := $found.sinks }}{{ $_ := set $found.sinks $namespace ($names | uniq | sortAlpha) }}{{ end }}
{{- $found | toJson -}}
{{- end -}}

{{/* `name` or `namespace`: where definitions are not ours to read, or too many for lists of names, no name is listed. */}}
{{- define "dns01.journal" -}}
{{- $found := include "dns01.found" . | fromJson -}}
{{- if or (eq .Values.journal.create "namespace") .Values.existingConfigMaps (gt (len $found.certificates) 500) -}}
namespace
{{- else -}}
name
{{- end -}}
{{- end -}}
