{{/*
The address of HDFS: global.hdfs.uri, which may refer to the release's namespace.
*/}}
{{- define "common.hdfs.uri" -}}
{{ tpl .Values.global.hdfs.uri . }}
{{- end }}

{{/*
The port of Kafka: that of the first address in global.kafka.bootstrapServers.
*/}}
{{- define "common.kafka.port" -}}
{{ .Values.global.kafka.bootstrapServers | splitList "," | first | splitList ":" | last }}
{{- end }}
