{{/*
The address of Trino: with https where its users log in.
*/}}
{{- define "common.trino.url" -}}
{{- with .Values.global.trino -}}
{{ if .loginSecret }}https{{ else }}http{{ end }}://{{ .host }}:{{ .port }}
{{- end }}
{{- end }}

{{/*
The environment variable with the password of a user of Trino; nothing where users do not log in.
Arguments: the context, the user, who is the key of the Secret.
*/}}
{{- define "common.trino.password" -}}
{{- with (first .).Values.global.trino.loginSecret -}}
- name: TRINO_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ . }}, key: {{ last $ }}}}
{{- end }}
{{- end }}

{{/*
The mount of the certificate that clients of Trino trust, `/trino/ca.crt`; nothing if that is the system's.
*/}}
{{- define "common.trino.mount" -}}
{{- if .Values.global.trino.caSecret -}}
- {name: trino-ca, mountPath: /trino}
{{- end }}
{{- end }}

{{/*
Its volume.
*/}}
{{- define "common.trino.volume" -}}
{{- with .Values.global.trino.caSecret -}}
- {name: trino-ca, secret: {secretName: {{ . }}, items: [{key: ca.crt, path: ca.crt}]}}
{{- end }}
{{- end }}
