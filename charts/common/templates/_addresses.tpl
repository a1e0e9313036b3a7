{{/*
Where HDFS answers: global.hdfs.uri, which may name the release's namespace.
*/}}
{{- define "common.hdfs.uri" -}}
{{ tpl .Values.global.hdfs.uri . }}
{{- end }}

{{/*
The port at which Kafka answers: that of the first of global.kafka.bootstrapServers.
*/}}
{{- define "common.kafka.port" -}}
{{ .Values.global.kafka.bootstrapServers | splitList "," | first | splitList ":" | last }}
{{- end }}
