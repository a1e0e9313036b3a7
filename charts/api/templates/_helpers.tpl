{{/*
The Secret with the password for Kafka.
*/}}
{{- define "api.secret" -}}
{{ .Values.kafka.existingSecret | default .Values.kafka.username }}
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
Seconds that a pod has to stop: until it gets no more requests, then gunicorn's graceful timeout (api/gunicorn.conf.py),
then the time of one more response, for the queue to Kafka.
*/}}
{{- define "api.drainSeconds" -}}
{{- $answer := addf (divf .Values.kafka.deliveryTimeoutMs 1000) 1.5 -}}
{{ addf .Values.service.drainSeconds (mulf 3 $answer) 5 2 | ceil | int }}
{{- end }}
