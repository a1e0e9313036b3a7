{{/*
The topic and user operators. Without finalizers a namespace can be deleted after the operators are gone (strimzi#11901).
*/}}
{{- define "kafka.entityOperator" -}}
entityOperator:
  topicOperator:
    resources: {{- toYaml .Values.entityOperator.resources | nindent 6 }}
  userOperator:
    resources: {{- toYaml .Values.entityOperator.resources | nindent 6 }}
  template:
    pod:
      {{- include "kafka.pod" . | nindent 6 }}
      {{- include "common.tolerations" . | nindent 6 }}
    topicOperatorContainer:
      env: [{name: STRIMZI_USE_FINALIZERS, value: "false"}]
      {{- include "common.container" . | nindent 6 }}
    userOperatorContainer: {{- include "common.container" . | nindent 6 }}
{{- end }}
