{{/*
Whether there are backups; they need HDFS.
*/}}
{{- define "gamelake.hasBackups" -}}
{{- if and .Values.backup.enabled (not .Subcharts.hdfs) }}{{ fail "backup.enabled: needs hdfs.enabled" }}{{ end -}}
{{ .Values.backup.enabled }}
{{- end }}

{{/*
Whether the release has a PostgreSQL of its own.
*/}}
{{- define "gamelake.ownDatabase" -}}
{{- with get .Subcharts "hive-metastore" }}{{ not .Values.database.url }}{{ end }}
{{- end }}
