{{/*
Whether the release has a PostgreSQL of its own.
*/}}
{{- define "gamelake.ownDatabase" -}}
{{- $metastore := index .Values "hive-metastore" -}}
{{ and $metastore.enabled (not (dig "database" "url" "" $metastore)) }}
{{- end }}
