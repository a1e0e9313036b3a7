{{/*
A map with another one on top, as YAML: maps are merged, lists are appended, and null removes what is below.
Arguments: the lower map, the upper one.
*/}}
{{- define "common.over" -}}
{{- $merged := deepCopy (first .) }}
{{- range $key, $upper := last . }}
{{- $lower := get $merged $key }}
{{- if kindIs "invalid" $upper }}
{{- $_ := unset $merged $key }}
{{- else if kindIs "map" $upper }}
{{- $_ := set $merged $key (include "common.over" (list ($lower | default dict) $upper) | fromYaml) }}
{{- else if kindIs "slice" $upper }}
{{- $_ := set $merged $key (concat ($lower | default list) $upper | default $upper) }}
{{- else }}
{{- $_ := set $merged $key $upper }}
{{- end }}
{{- end }}
{{- toYaml $merged }}
{{- end }}

{{/*
A pod, as YAML, with what global.pod and the component's own values add to it. A constraint without a selector spreads the
component's pods.
Arguments: the context, the pod (metadata, spec), the component's `pod`.
*/}}
{{- define "common.customized" -}}
{{- $pod := index . 1 }}
{{- $selector := dict "matchLabels" (deepCopy $pod.metadata.labels) }}
{{- range $own := list (first .).Values.global.pod (last .) }}
{{- $metadata := pick ($own | default dict) "labels" "annotations" }}
{{- $spec := omit ($own | default dict) "labels" "annotations" "env" "volumeMounts" }}
{{- $pod = include "common.over" (list $pod (dict "metadata" $metadata "spec" $spec)) | fromYaml }}
{{- range $container := concat $pod.spec.containers ($pod.spec.initContainers | default list) }}
{{- range $key, $more := pick ($own | default dict) "env" "volumeMounts" }}
{{- $_ := set $container $key (concat (get $container $key | default list) $more) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $pod.spec.topologySpreadConstraints }}
{{- $_ := set . "labelSelector" (.labelSelector | default $selector) }}
{{- end }}
{{- toYaml $pod }}
{{- end }}

{{/*
A workload, or a pod on its own, with what global.pod and the component's own values add to its pods.
Arguments: the context, the name of the template that renders it, the component's `pod`.
*/}}
{{- define "common.workload" -}}
{{- $object := include (index . 1) (first .) | fromYaml }}
{{- $pod := include "common.customized" (list (first .) ($object.spec.template | default $object) (last .)) | fromYaml }}
{{- if $object.spec.template }}{{ $_ := set $object.spec "template" $pod }}{{ else }}{{ $object = $pod }}{{ end }}
{{- toYaml $object }}
{{- end }}
