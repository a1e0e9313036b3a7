{{/*
The port of Kafka: that of the first address in global.kafka.bootstrapServers.
*/}}
{{- define "common.kafka.port" -}}
{{ .Values.global.kafka.bootstrapServers | splitList "," | first | splitList ":" | last }}
{{- end }}

{{/*
The mount of the certificate that clients of Kafka trust; nothing if that is the system's.
*/}}
{{- define "common.kafka.mount" -}}
{{- if .Values.global.kafka.caSecret -}}
- {name: ca, mountPath: /kafka}
{{- end }}
{{- end }}

{{/*
Its volume.
*/}}
{{- define "common.kafka.volume" -}}
{{- with .Values.global.kafka.caSecret -}}
- {name: ca, secret: {secretName: {{ . }}, items: [{key: ca.crt, path: ca.crt}]}}
{{- end }}
{{- end }}
