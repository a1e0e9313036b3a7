{{/*
Alert rules. In the files `$namespace` stands for the release's, as on the dashboard, and each alert has it as a label:
a Prometheus may watch several releases.
Arguments: the context, the component's name, files with groups of rules.
*/}}
{{- define "common.alerts" -}}
{{- $context := first . }}
{{- $namespace := $context.Release.Namespace }}
{{- $groups := list }}
{{- range slice . 2 }}
{{- range tpl ($context.Files.Get .) $context | replace "$namespace" $namespace | fromYamlArray }}
{{- range .rules }}{{ $_ := set .labels "namespace" $namespace }}{{ end }}
{{- $groups = append $groups . }}
{{- end }}
{{- end -}}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ index . 1 }}
  labels: {{- include "common.monitoringLabels" (list $context (index . 1)) | nindent 4 }}
spec:
  groups: {{- toYaml $groups | nindent 4 }}
{{- end }}

{{/*
The alert that a volume is filling, from the metrics of the kubelets, which the Prometheus of the cluster usually has.
Argument: a regular expression for the names of the claims.
*/}}
{{- define "common.volumeAlert" -}}
{{- $claims := printf "namespace=\"$namespace\", persistentvolumeclaim=~%q" . -}}
- alert: VolumeFilling
  expr: >-
    kubelet_volume_stats_available_bytes{ {{- $claims -}} }
    < 0.15 * kubelet_volume_stats_capacity_bytes{ {{- $claims -}} }
  for: 10m
  labels: {severity: warning}
  annotations: {summary: "Less than 15 % of a volume is free: see the label persistentvolumeclaim."}
{{- end }}

{{/*
The alert that no server of a component answers Prometheus.
Arguments: the name of the PodMonitor, the name of the alert, what follows.
*/}}
{{- define "common.awayAlert" -}}
- alert: {{ index . 1 }}
  expr: absent(up{namespace="$namespace", job="$namespace/{{ first . }}"} == 1)
  for: 5m
  labels: {severity: critical}
  annotations: {summary: {{ last . | quote }}}
{{- end }}
