{{/*
The port of Kafka: that of the first address in global.kafka.bootstrapServers.
*/}}
{{- define "common.kafka.port" -}}
{{ .Values.global.kafka.bootstrapServers | splitList "," | first | splitList ":" | last }}
{{- end }}
