{{/*
The Secret with the database's user and password.
*/}}
{{- define "hive-metastore.secret" -}}
{{ .Values.database.existingSecret | default .Values.database.secretName }}
{{- end }}

{{/*
The arguments of the Job that creates the Secret (common.secrets).
*/}}
{{- define "hive-metastore.secrets" -}}
{{- if not .Values.database.existingSecret -}}
- --database={{ .Values.database.secretName }}
{{- end }}
{{- end }}

{{/*
The JDBC URL of the metastore's database.
*/}}
{{- define "hive-metastore.databaseUrl" -}}
{{- if .Values.database.url }}
{{- if not .Values.database.existingSecret }}{{ fail "database.existingSecret: is needed with database.url" }}{{ end }}
{{- .Values.database.url }}
{{- else -}}
jdbc:postgresql://hive-metastore-postgresql:5432/metastore
{{- if include "hive-metastore.tls" . }}?sslmode=verify-full&sslrootcert=/postgresql/ca.crt{{ end }}
{{- end }}
{{- end }}

{{/*
The Secret with the certificate of the chart's PostgreSQL; nothing without TLS.
*/}}
{{- define "hive-metastore.tls" -}}
{{- if not .Values.database.url }}{{ .Values.postgresql.tlsSecret }}{{ end }}
{{- end }}

{{/*
The mount of the authority's certificate, with which clients verify PostgreSQL's; nothing without TLS.
*/}}
{{- define "hive-metastore.tlsMount" -}}
{{- if include "hive-metastore.tls" . -}}
- {name: postgresql-ca, mountPath: /postgresql}
{{- end }}
{{- end }}

{{/*
Its volume.
*/}}
{{- define "hive-metastore.tlsVolume" -}}
{{- with include "hive-metastore.tls" . -}}
- {name: postgresql-ca, secret: {secretName: {{ . }}, items: [{key: ca.crt, path: ca.crt}]}}
{{- end }}
{{- end }}

{{/*
One entry of a container's environment, from the database's Secret.
Arguments: the context, the variable, the Secret's key.
*/}}
{{- define "hive-metastore.fromSecret" -}}
- name: {{ index . 1 }}
  valueFrom: {secretKeyRef: {name: {{ include "hive-metastore.secret" (first .) }}, key: {{ last . }}}}
{{- end }}
