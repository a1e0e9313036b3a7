{{/*
Whether there are backups; they need HDFS.
*/}}
{{- define "gamelake.hasBackups" -}}
{{- if and .Values.backup.enabled (not .Values.hdfs.enabled) }}{{ fail "backup.enabled: needs hdfs.enabled" }}{{ end -}}
{{ .Values.backup.enabled }}
{{- end }}

{{/*
Whether the release has a PostgreSQL of its own.
*/}}
{{- define "gamelake.ownDatabase" -}}
{{- $metastore := index .Values "hive-metastore" -}}
{{ and $metastore.enabled (not (dig "database" "url" "" $metastore)) }}
{{- end }}
