{{/*
The Secret with the password for Kafka.
*/}}
{{- define "api.secret" -}}
{{ .Values.kafka.existingSecret | default .Values.kafka.username }}
{{- end }}

{{/*
The arguments of the Job that creates the Secrets (common.secrets).
*/}}
{{- define "api.secrets" -}}
{{- if and (include "api.hasStore" .) (not .Values.store.existingSecret) }}
- --store={{ .Values.store.secretName }}
- --store-address=world-store:6379
{{- end }}
{{- if and (include "api.signsTokens" .) (not .Values.players.existingSecret) }}
- --players={{ include "api.playersSecret" . }}
{{- end }}
{{- end }}

{{/*
The URL of Trino for the dashboard: dashboard.trinoUrl, which may refer to shared values.
*/}}
{{- define "api.trinoUrl" -}}
{{ tpl .Values.dashboard.trinoUrl . }}
{{- end }}

{{/*
The URL of Trino for the world: world.trinoUrl, which may refer to shared values.
*/}}
{{- define "api.worldTrinoUrl" -}}
{{ tpl .Values.world.trinoUrl . }}
{{- end }}

{{/*
Whether the API or the world uses Trino: "true", or nothing.
*/}}
{{- define "api.usesTrino" -}}
{{ if or .Values.dashboard.trinoUrl (and .Values.world.enabled .Values.world.trinoUrl) }}true{{ end }}
{{- end }}

{{/*
The password of a user of Trino; nothing without a URL of Trino.
Arguments: the context, the URL, the user.
*/}}
{{- define "api.trinoPassword" -}}
{{- $context := first . }}
{{- with index . 1 }}
{{- if and $context.Values.global.trino.loginSecret (not (hasPrefix "https://" .)) }}
{{- fail (printf "global.trino.loginSecret: expected none with %s: a password needs https" .) }}
{{- end }}
{{- include "common.trino.password" (list $context (last $)) }}
{{- end }}
{{- end }}

{{/*
Seconds that a pod has to stop: until it gets no more requests, then gunicorn's graceful timeout (api/gunicorn.conf.py),
then the time of one more response, for the queue to Kafka.
*/}}
{{- define "api.drainSeconds" -}}
{{- $answer := addf (divf .Values.kafka.deliveryTimeoutMs 1000) 1.5 -}}
{{ addf .Values.service.drainSeconds (mulf 3 $answer) 5 2 | ceil | int }}
{{- end }}
