{{/*
The labels with which controller, Service and disruption budget select a component's pods.
They contain neither release nor version, so that volumes and controllers outlive both.
Argument: the component's name.
*/}}
{{- define "common.selector" -}}
app.kubernetes.io/name: {{ . }}
app.kubernetes.io/part-of: gamelake
{{- end }}

{{/*
All labels of a component's objects.
Arguments: the context, the component's name.
*/}}
{{- define "common.labels" -}}
{{- $context := first . }}
{{- include "common.selector" (last .) }}
app.kubernetes.io/instance: {{ $context.Release.Name }}
app.kubernetes.io/managed-by: {{ $context.Release.Service }}
app.kubernetes.io/version: {{ $context.Chart.AppVersion | quote }}
helm.sh/chart: {{ $context.Chart.Name }}-{{ $context.Chart.Version }}
{{- end }}

{{/*
The labels of an object for Prometheus' operator, with those by which it finds what it reads.
Arguments: the context, the component's name.
*/}}
{{- define "common.monitoringLabels" -}}
{{- include "common.over" (list (include "common.labels" . | fromYaml) (first .).Values.global.monitoring.labels) }}
{{- end }}
