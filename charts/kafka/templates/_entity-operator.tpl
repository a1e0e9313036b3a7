{{/*
The topic and user operators. Without finalizers a namespace can be deleted after the operators are gone (strimzi#11901).
*/}}
{{- define "kafka.entityOperator" -}}
{{- $labels := dict "strimzi.io/name" (printf "%s-entity-operator" .Values.clusterName) }}
{{- $containers := list "topicOperatorContainer" "userOperatorContainer" }}
{{- $template := include "kafka.template" (list . $labels dict .Values.entityOperator.pod $containers) | fromYaml }}
{{- $finalizers := dict "env" (list (dict "name" "STRIMZI_USE_FINALIZERS" "value" "false")) }}
{{- $own := dict "topicOperatorContainer" $finalizers "pod" (include "common.tolerations" . | fromYaml) -}}
entityOperator:
  topicOperator:
    resources: {{- toYaml .Values.entityOperator.resources | nindent 6 }}
  userOperator:
    resources: {{- toYaml .Values.entityOperator.resources | nindent 6 }}
  template: {{- include "common.over" (list $template $own) | nindent 4 }}
{{- end }}
