// Written by `pnpm record:vectors` from a real API server: do not edit. The notation is that of shape.ts and kinds.ts.

/** The types of the built-in kinds. */
export const builtInTypes: string = `
admissionregistration.v1.ApplyConfiguration expression:s
admissionregistration.v1.AuditAnnotation key!:s valueExpression!:s
admissionregistration.v1.ExpressionWarning fieldRef!:s warning!:s
admissionregistration.v1.JSONPatch expression:s
admissionregistration.v1.MatchCondition expression!:s name!:s
admissionregistration.v1.MatchResources~ excludeResourceRules:[@admissionregistration.v1.NamedRuleWithOperations] matchPolicy:s namespaceSelector:@meta.v1.LabelSelector objectSelector:@meta.v1.LabelSelector resourceRules:[@admissionregistration.v1.NamedRuleWithOperations]
admissionregistration.v1.MutatingAdmissionPolicy apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@admissionregistration.v1.MutatingAdmissionPolicySpec
admissionregistration.v1.MutatingAdmissionPolicyBinding apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@admissionregistration.v1.MutatingAdmissionPolicyBindingSpec
admissionregistration.v1.MutatingAdmissionPolicyBindingSpec matchResources:@admissionregistration.v1.MatchResources paramRef:@admissionregistration.v1.ParamRef policyName:s
admissionregistration.v1.MutatingAdmissionPolicySpec failurePolicy:s matchConditions:[@admissionregistration.v1.MatchCondition|name] matchConstraints:@admissionregistration.v1.MatchResources mutations:[@admissionregistration.v1.Mutation] paramKind:@admissionregistration.v1.ParamKind reinvocationPolicy:s variables:[@admissionregistration.v1.Variable]
admissionregistration.v1.MutatingWebhook admissionReviewVersions!:[s] clientConfig!:@admissionregistration.v1.WebhookClientConfig failurePolicy:s matchConditions:[@admissionregistration.v1.MatchCondition|name] matchPolicy:s name!:s namespaceSelector:@meta.v1.LabelSelector objectSelector:@meta.v1.LabelSelector reinvocationPolicy:s rules:[@admissionregistration.v1.RuleWithOperations] sideEffects!:s timeoutSeconds:i
admissionregistration.v1.MutatingWebhookConfiguration apiVersion:s kind:s metadata:@meta.v1.ObjectMeta webhooks:[@admissionregistration.v1.MutatingWebhook|name]
admissionregistration.v1.Mutation applyConfiguration:@admissionregistration.v1.ApplyConfiguration jsonPatch:@admissionregistration.v1.JSONPatch patchType!:s
admissionregistration.v1.NamedRuleWithOperations~ apiGroups:[s] apiVersions:[s] operations:[s] resourceNames:[s] resources:[s] scope:s
admissionregistration.v1.ParamKind~ apiVersion:s kind:s
admissionregistration.v1.ParamRef~ name:s namespace:s parameterNotFoundAction:s selector:@meta.v1.LabelSelector
admissionregistration.v1.RuleWithOperations apiGroups:[s] apiVersions:[s] operations:[s] resources:[s] scope:s
admissionregistration.v1.ServiceReference name!:s namespace!:s path:s port:i
admissionregistration.v1.TypeChecking expressionWarnings:[@admissionregistration.v1.ExpressionWarning]
admissionregistration.v1.ValidatingAdmissionPolicy apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@admissionregistration.v1.ValidatingAdmissionPolicySpec status:@admissionregistration.v1.ValidatingAdmissionPolicyStatus
admissionregistration.v1.ValidatingAdmissionPolicyBinding apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec
admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec matchResources:@admissionregistration.v1.MatchResources paramRef:@admissionregistration.v1.ParamRef policyName!:s validationActions!:[s|]
admissionregistration.v1.ValidatingAdmissionPolicySpec auditAnnotations:[@admissionregistration.v1.AuditAnnotation] failurePolicy:s matchConditions:[@admissionregistration.v1.MatchCondition|name] matchConstraints:@admissionregistration.v1.MatchResources paramKind:@admissionregistration.v1.ParamKind validations:[@admissionregistration.v1.Validation] variables:[@admissionregistration.v1.Variable|name]
admissionregistration.v1.ValidatingAdmissionPolicyStatus conditions:[@meta.v1.Condition|type] observedGeneration:i typeChecking:@admissionregistration.v1.TypeChecking
admissionregistration.v1.ValidatingWebhook admissionReviewVersions!:[s] clientConfig!:@admissionregistration.v1.WebhookClientConfig failurePolicy:s matchConditions:[@admissionregistration.v1.MatchCondition|name] matchPolicy:s name!:s namespaceSelector:@meta.v1.LabelSelector objectSelector:@meta.v1.LabelSelector rules:[@admissionregistration.v1.RuleWithOperations] sideEffects!:s timeoutSeconds:i
admissionregistration.v1.ValidatingWebhookConfiguration apiVersion:s kind:s metadata:@meta.v1.ObjectMeta webhooks:[@admissionregistration.v1.ValidatingWebhook|name]
admissionregistration.v1.Validation expression!:s message:s messageExpression:s reason:s
admissionregistration.v1.Variable~ expression!:s name!:s
admissionregistration.v1.WebhookClientConfig caBundle:s service:@admissionregistration.v1.ServiceReference url:s
apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition description:s format:s jsonPath!:s name!:s priority:i type!:s
apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion strategy!:s webhook:@apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion
apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec status:@apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus
apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition lastTransitionTime:s message:s observedGeneration:i reason:s status!:s type!:s
apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames categories:[s] kind!:s listKind:s plural!:s shortNames:[s] singular:s
apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec conversion:@apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion group!:s names!:@apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames preserveUnknownFields:b scope!:s versions!:[@apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion]
apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus acceptedNames:@apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames conditions:[@apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition|type] observedGeneration:i storedVersions:[s]
apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion additionalPrinterColumns:[@apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition] deprecated:b deprecationWarning:s name!:s schema:@apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation selectableFields:[@apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField] served!:b storage!:b subresources:@apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources
apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale labelSelectorPath:s specReplicasPath!:s statusReplicasPath!:s
apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources scale:@apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale status:*
apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation openAPIV3Schema:@apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps
apiextensions-apiserver.pkg.apis.apiextensions.v1.ExternalDocumentation description:s url:s
apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps $ref:s $schema:s additionalItems:* additionalProperties:* allOf:[@apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps] anyOf:[@apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps] default:* definitions:{@apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps} dependencies:{*} description:s enum:[*] example:* exclusiveMaximum:b exclusiveMinimum:b externalDocs:@apiextensions-apiserver.pkg.apis.apiextensions.v1.ExternalDocumentation format:s id:s items:* maxItems:i maxLength:i maxProperties:i maximum:n minItems:i minLength:i minProperties:i minimum:n multipleOf:n not:@apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps nullable:b oneOf:[@apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps] pattern:s patternProperties:{@apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps} properties:{@apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps} required:[s] title:s type:s uniqueItems:b x-kubernetes-embedded-resource:b x-kubernetes-int-or-string:b x-kubernetes-list-map-keys:[s] x-kubernetes-list-type:s x-kubernetes-map-type:s x-kubernetes-preserve-unknown-fields:b x-kubernetes-validations:[@apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule|rule]
apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField jsonPath!:s
apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference name!:s namespace!:s path:s port:i
apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule fieldPath:s message:s messageExpression:s optionalOldSelf:b reason:s rule!:s
apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig caBundle:s service:@apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference url:s
apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion clientConfig:@apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig conversionReviewVersions!:[s]
apps.v1.ControllerRevision apiVersion:s data:* kind:s metadata:@meta.v1.ObjectMeta revision!:i
apps.v1.DaemonSet apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@apps.v1.DaemonSetSpec status:@apps.v1.DaemonSetStatus
apps.v1.DaemonSetCondition lastTransitionTime:s message:s reason:s status!:s type!:s
apps.v1.DaemonSetSpec minReadySeconds:i revisionHistoryLimit:i selector!:@meta.v1.LabelSelector template!:@core.v1.PodTemplateSpec updateStrategy:@apps.v1.DaemonSetUpdateStrategy
apps.v1.DaemonSetStatus collisionCount:i conditions:[@apps.v1.DaemonSetCondition|type] currentNumberScheduled!:i desiredNumberScheduled!:i numberAvailable:i numberMisscheduled!:i numberReady!:i numberUnavailable:i observedGeneration:i updatedNumberScheduled:i
apps.v1.DaemonSetUpdateStrategy rollingUpdate:@apps.v1.RollingUpdateDaemonSet type:s
apps.v1.Deployment apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@apps.v1.DeploymentSpec status:@apps.v1.DeploymentStatus
apps.v1.DeploymentCondition lastTransitionTime:s lastUpdateTime:s message:s reason:s status!:s type!:s
apps.v1.DeploymentSpec minReadySeconds:i paused:b progressDeadlineSeconds:i replicas:i revisionHistoryLimit:i selector!:@meta.v1.LabelSelector strategy:@apps.v1.DeploymentStrategy template!:@core.v1.PodTemplateSpec
apps.v1.DeploymentStatus availableReplicas:i collisionCount:i conditions:[@apps.v1.DeploymentCondition|type] observedGeneration:i readyReplicas:i replicas:i terminatingReplicas:i unavailableReplicas:i updatedReplicas:i
apps.v1.DeploymentStrategy rollingUpdate:@apps.v1.RollingUpdateDeployment type:s
apps.v1.ReplicaSet apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@apps.v1.ReplicaSetSpec status:@apps.v1.ReplicaSetStatus
apps.v1.ReplicaSetCondition lastTransitionTime:s message:s reason:s status!:s type!:s
apps.v1.ReplicaSetSpec minReadySeconds:i replicas:i selector!:@meta.v1.LabelSelector template:@core.v1.PodTemplateSpec
apps.v1.ReplicaSetStatus availableReplicas:i conditions:[@apps.v1.ReplicaSetCondition|type] fullyLabeledReplicas:i observedGeneration:i readyReplicas:i replicas!:i terminatingReplicas:i
apps.v1.RollingUpdateDaemonSet maxSurge:q maxUnavailable:q
apps.v1.RollingUpdateDeployment maxSurge:q maxUnavailable:q
apps.v1.RollingUpdateStatefulSetStrategy maxUnavailable:q partition:i
apps.v1.StatefulSet apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@apps.v1.StatefulSetSpec status:@apps.v1.StatefulSetStatus
apps.v1.StatefulSetCondition lastTransitionTime:s message:s reason:s status!:s type!:s
apps.v1.StatefulSetOrdinals start:i
apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted:s whenScaled:s
apps.v1.StatefulSetSpec minReadySeconds:i ordinals:@apps.v1.StatefulSetOrdinals persistentVolumeClaimRetentionPolicy:@apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy podManagementPolicy:s replicas:i revisionHistoryLimit:i selector!:@meta.v1.LabelSelector serviceName:s template!:@core.v1.PodTemplateSpec updateStrategy:@apps.v1.StatefulSetUpdateStrategy volumeClaimTemplates:[@core.v1.PersistentVolumeClaim]
apps.v1.StatefulSetStatus availableReplicas:i collisionCount:i conditions:[@apps.v1.StatefulSetCondition|type] currentReplicas:i currentRevision:s observedGeneration:i readyReplicas:i replicas!:i updateRevision:s updatedReplicas:i
apps.v1.StatefulSetUpdateStrategy rollingUpdate:@apps.v1.RollingUpdateStatefulSetStrategy type:s
authentication.v1.BoundObjectReference apiVersion:s kind:s name:s uid:s
authentication.v1.SelfSubjectReview apiVersion:s kind:s metadata:@meta.v1.ObjectMeta status:@authentication.v1.SelfSubjectReviewStatus
authentication.v1.SelfSubjectReviewStatus userInfo:@authentication.v1.UserInfo
authentication.v1.TokenRequest apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@authentication.v1.TokenRequestSpec status:@authentication.v1.TokenRequestStatus
authentication.v1.TokenRequestSpec audiences:[s] boundObjectRef:@authentication.v1.BoundObjectReference expirationSeconds:i
authentication.v1.TokenRequestStatus expirationTimestamp:s token:s
authentication.v1.TokenReview apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@authentication.v1.TokenReviewSpec status:@authentication.v1.TokenReviewStatus
authentication.v1.TokenReviewSpec audiences:[s] token!:s
authentication.v1.TokenReviewStatus audiences:[s] authenticated:b error:s user:@authentication.v1.UserInfo
authentication.v1.UserInfo extra:{[s]} groups:[s] uid:s username:s
authorization.v1.FieldSelectorAttributes rawSelector:s requirements:[@meta.v1.FieldSelectorRequirement]
authorization.v1.LabelSelectorAttributes rawSelector:s requirements:[@meta.v1.LabelSelectorRequirement]
authorization.v1.LocalSubjectAccessReview apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@authorization.v1.SubjectAccessReviewSpec status:@authorization.v1.SubjectAccessReviewStatus
authorization.v1.NonResourceAttributes path:s verb:s
authorization.v1.NonResourceRule nonResourceURLs:[s] verbs!:[s]
authorization.v1.ResourceAttributes fieldSelector:@authorization.v1.FieldSelectorAttributes group:s labelSelector:@authorization.v1.LabelSelectorAttributes name:s namespace:s resource:s subresource:s verb:s version:s
authorization.v1.ResourceRule apiGroups:[s] resourceNames:[s] resources:[s] verbs!:[s]
authorization.v1.SelfSubjectAccessReview apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@authorization.v1.SelfSubjectAccessReviewSpec status:@authorization.v1.SubjectAccessReviewStatus
authorization.v1.SelfSubjectAccessReviewSpec nonResourceAttributes:@authorization.v1.NonResourceAttributes resourceAttributes:@authorization.v1.ResourceAttributes
authorization.v1.SelfSubjectRulesReview apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@authorization.v1.SelfSubjectRulesReviewSpec status:@authorization.v1.SubjectRulesReviewStatus
authorization.v1.SelfSubjectRulesReviewSpec namespace:s
authorization.v1.SubjectAccessReview apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@authorization.v1.SubjectAccessReviewSpec status:@authorization.v1.SubjectAccessReviewStatus
authorization.v1.SubjectAccessReviewSpec extra:{[s]} groups:[s] nonResourceAttributes:@authorization.v1.NonResourceAttributes resourceAttributes:@authorization.v1.ResourceAttributes uid:s user:s
authorization.v1.SubjectAccessReviewStatus allowed!:b denied:b evaluationError:s reason:s
authorization.v1.SubjectRulesReviewStatus evaluationError:s incomplete!:b nonResourceRules!:[@authorization.v1.NonResourceRule] resourceRules!:[@authorization.v1.ResourceRule]
autoscaling.v1.CrossVersionObjectReference~ apiVersion:s kind!:s name!:s
autoscaling.v1.HorizontalPodAutoscaler apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@autoscaling.v1.HorizontalPodAutoscalerSpec status:@autoscaling.v1.HorizontalPodAutoscalerStatus
autoscaling.v1.HorizontalPodAutoscalerSpec maxReplicas!:i minReplicas:i scaleTargetRef!:@autoscaling.v1.CrossVersionObjectReference targetCPUUtilizationPercentage:i
autoscaling.v1.HorizontalPodAutoscalerStatus currentCPUUtilizationPercentage:i currentReplicas!:i desiredReplicas!:i lastScaleTime:s observedGeneration:i
autoscaling.v1.Scale apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@autoscaling.v1.ScaleSpec status:@autoscaling.v1.ScaleStatus
autoscaling.v1.ScaleSpec replicas:i
autoscaling.v1.ScaleStatus replicas!:i selector:s
autoscaling.v2.ContainerResourceMetricSource container!:s name!:s target!:@autoscaling.v2.MetricTarget
autoscaling.v2.ContainerResourceMetricStatus container!:s current!:@autoscaling.v2.MetricValueStatus name!:s
autoscaling.v2.CrossVersionObjectReference apiVersion:s kind!:s name!:s
autoscaling.v2.ExternalMetricSource metric!:@autoscaling.v2.MetricIdentifier target!:@autoscaling.v2.MetricTarget
autoscaling.v2.ExternalMetricStatus current!:@autoscaling.v2.MetricValueStatus metric!:@autoscaling.v2.MetricIdentifier
autoscaling.v2.HPAScalingPolicy periodSeconds!:i type!:s value!:i
autoscaling.v2.HPAScalingRules policies:[@autoscaling.v2.HPAScalingPolicy] selectPolicy:s stabilizationWindowSeconds:i tolerance:q
autoscaling.v2.HorizontalPodAutoscaler apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@autoscaling.v2.HorizontalPodAutoscalerSpec status:@autoscaling.v2.HorizontalPodAutoscalerStatus
autoscaling.v2.HorizontalPodAutoscalerBehavior scaleDown:@autoscaling.v2.HPAScalingRules scaleUp:@autoscaling.v2.HPAScalingRules
autoscaling.v2.HorizontalPodAutoscalerCondition lastTransitionTime:s message:s reason:s status!:s type!:s
autoscaling.v2.HorizontalPodAutoscalerSpec behavior:@autoscaling.v2.HorizontalPodAutoscalerBehavior maxReplicas!:i metrics:[@autoscaling.v2.MetricSpec] minReplicas:i scaleTargetRef!:@autoscaling.v2.CrossVersionObjectReference
autoscaling.v2.HorizontalPodAutoscalerStatus conditions:[@autoscaling.v2.HorizontalPodAutoscalerCondition|type] currentMetrics:[@autoscaling.v2.MetricStatus] currentReplicas:i desiredReplicas!:i lastScaleTime:s observedGeneration:i
autoscaling.v2.MetricIdentifier name!:s selector:@meta.v1.LabelSelector
autoscaling.v2.MetricSpec containerResource:@autoscaling.v2.ContainerResourceMetricSource external:@autoscaling.v2.ExternalMetricSource object:@autoscaling.v2.ObjectMetricSource pods:@autoscaling.v2.PodsMetricSource resource:@autoscaling.v2.ResourceMetricSource type!:s
autoscaling.v2.MetricStatus containerResource:@autoscaling.v2.ContainerResourceMetricStatus external:@autoscaling.v2.ExternalMetricStatus object:@autoscaling.v2.ObjectMetricStatus pods:@autoscaling.v2.PodsMetricStatus resource:@autoscaling.v2.ResourceMetricStatus type!:s
autoscaling.v2.MetricTarget averageUtilization:i averageValue:q type!:s value:q
autoscaling.v2.MetricValueStatus averageUtilization:i averageValue:q value:q
autoscaling.v2.ObjectMetricSource describedObject!:@autoscaling.v2.CrossVersionObjectReference metric!:@autoscaling.v2.MetricIdentifier target!:@autoscaling.v2.MetricTarget
autoscaling.v2.ObjectMetricStatus current!:@autoscaling.v2.MetricValueStatus describedObject!:@autoscaling.v2.CrossVersionObjectReference metric!:@autoscaling.v2.MetricIdentifier
autoscaling.v2.PodsMetricSource metric!:@autoscaling.v2.MetricIdentifier target!:@autoscaling.v2.MetricTarget
autoscaling.v2.PodsMetricStatus current!:@autoscaling.v2.MetricValueStatus metric!:@autoscaling.v2.MetricIdentifier
autoscaling.v2.ResourceMetricSource name!:s target!:@autoscaling.v2.MetricTarget
autoscaling.v2.ResourceMetricStatus current!:@autoscaling.v2.MetricValueStatus name!:s
batch.v1.CronJob apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@batch.v1.CronJobSpec status:@batch.v1.CronJobStatus
batch.v1.CronJobSpec concurrencyPolicy:s failedJobsHistoryLimit:i jobTemplate!:@batch.v1.JobTemplateSpec schedule!:s startingDeadlineSeconds:i successfulJobsHistoryLimit:i suspend:b timeZone:s
batch.v1.CronJobStatus active:[@core.v1.ObjectReference] lastScheduleTime:s lastSuccessfulTime:s
batch.v1.Job apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@batch.v1.JobSpec status:@batch.v1.JobStatus
batch.v1.JobCondition lastProbeTime:s lastTransitionTime:s message:s reason:s status!:s type!:s
batch.v1.JobSpec activeDeadlineSeconds:i backoffLimit:i backoffLimitPerIndex:i completionMode:s completions:i managedBy:s manualSelector:b maxFailedIndexes:i parallelism:i podFailurePolicy:@batch.v1.PodFailurePolicy podReplacementPolicy:s selector:@meta.v1.LabelSelector successPolicy:@batch.v1.SuccessPolicy suspend:b template!:@core.v1.PodTemplateSpec ttlSecondsAfterFinished:i
batch.v1.JobStatus active:i completedIndexes:s completionTime:s conditions:[@batch.v1.JobCondition] failed:i failedIndexes:s ready:i startTime:s succeeded:i terminating:i uncountedTerminatedPods:@batch.v1.UncountedTerminatedPods
batch.v1.JobTemplateSpec metadata:@meta.v1.ObjectMeta spec:@batch.v1.JobSpec
batch.v1.PodFailurePolicy rules!:[@batch.v1.PodFailurePolicyRule]
batch.v1.PodFailurePolicyOnExitCodesRequirement containerName:s operator!:s values!:[i|]
batch.v1.PodFailurePolicyOnPodConditionsPattern status:s type!:s
batch.v1.PodFailurePolicyRule action!:s onExitCodes:@batch.v1.PodFailurePolicyOnExitCodesRequirement onPodConditions:[@batch.v1.PodFailurePolicyOnPodConditionsPattern]
batch.v1.SuccessPolicy rules!:[@batch.v1.SuccessPolicyRule]
batch.v1.SuccessPolicyRule succeededCount:i succeededIndexes:s
batch.v1.UncountedTerminatedPods failed:[s|] succeeded:[s|]
certificates.v1.CertificateSigningRequest apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@certificates.v1.CertificateSigningRequestSpec status:@certificates.v1.CertificateSigningRequestStatus
certificates.v1.CertificateSigningRequestCondition lastTransitionTime:s lastUpdateTime:s message:s reason:s status!:s type!:s
certificates.v1.CertificateSigningRequestSpec expirationSeconds:i extra:{[s]} groups:[s] request!:s signerName!:s uid:s usages:[s] username:s
certificates.v1.CertificateSigningRequestStatus certificate:s conditions:[@certificates.v1.CertificateSigningRequestCondition|type]
coordination.v1.Lease apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@coordination.v1.LeaseSpec
coordination.v1.LeaseSpec acquireTime:s holderIdentity:s leaseDurationSeconds:i leaseTransitions:i preferredHolder:s renewTime:s strategy:s
core.v1.AWSElasticBlockStoreVolumeSource fsType:s partition:i readOnly:b volumeID!:s
core.v1.Affinity nodeAffinity:@core.v1.NodeAffinity podAffinity:@core.v1.PodAffinity podAntiAffinity:@core.v1.PodAntiAffinity
core.v1.AppArmorProfile localhostProfile:s type!:s
core.v1.AttachedVolume devicePath!:s name!:s
core.v1.AzureDiskVolumeSource cachingMode:s=ReadWrite diskName!:s diskURI!:s fsType:s=ext4 kind:s=Shared readOnly:b
core.v1.AzureFilePersistentVolumeSource readOnly:b secretName!:s secretNamespace:s shareName!:s
core.v1.AzureFileVolumeSource readOnly:b secretName!:s shareName!:s
core.v1.Binding apiVersion:s kind:s metadata:@meta.v1.ObjectMeta target!:@core.v1.ObjectReference
core.v1.CSIPersistentVolumeSource controllerExpandSecretRef:@core.v1.SecretReference controllerPublishSecretRef:@core.v1.SecretReference driver!:s fsType:s nodeExpandSecretRef:@core.v1.SecretReference nodePublishSecretRef:@core.v1.SecretReference nodeStageSecretRef:@core.v1.SecretReference readOnly:b volumeAttributes:{s} volumeHandle!:s
core.v1.CSIVolumeSource driver!:s fsType:s nodePublishSecretRef:@core.v1.LocalObjectReference readOnly:b volumeAttributes:{s}
core.v1.Capabilities add:[s] drop:[s]
core.v1.CephFSPersistentVolumeSource monitors!:[s] path:s readOnly:b secretFile:s secretRef:@core.v1.SecretReference user:s
core.v1.CephFSVolumeSource monitors!:[s] path:s readOnly:b secretFile:s secretRef:@core.v1.LocalObjectReference user:s
core.v1.CinderPersistentVolumeSource fsType:s readOnly:b secretRef:@core.v1.SecretReference volumeID!:s
core.v1.CinderVolumeSource fsType:s readOnly:b secretRef:@core.v1.LocalObjectReference volumeID!:s
core.v1.ClientIPConfig timeoutSeconds:i
core.v1.ClusterTrustBundleProjection labelSelector:@meta.v1.LabelSelector name:s optional:b path!:s signerName:s
core.v1.ComponentCondition error:s message:s status!:s type!:s
core.v1.ComponentStatus apiVersion:s conditions:[@core.v1.ComponentCondition|type] kind:s metadata:@meta.v1.ObjectMeta
core.v1.ConfigMap apiVersion:s binaryData:{s} data:{s} immutable:b kind:s metadata:@meta.v1.ObjectMeta
core.v1.ConfigMapEnvSource name:s optional:b
core.v1.ConfigMapKeySelector~ key!:s name:s optional:b
core.v1.ConfigMapNodeConfigSource kubeletConfigKey!:s name!:s namespace!:s resourceVersion:s uid:s
core.v1.ConfigMapProjection items:[@core.v1.KeyToPath] name:s optional:b
core.v1.ConfigMapVolumeSource defaultMode:i items:[@core.v1.KeyToPath] name:s optional:b
core.v1.Container args:[s] command:[s] env:[@core.v1.EnvVar|name] envFrom:[@core.v1.EnvFromSource] image:s imagePullPolicy:s lifecycle:@core.v1.Lifecycle livenessProbe:@core.v1.Probe name!:s ports:[@core.v1.ContainerPort|containerPort,protocol] readinessProbe:@core.v1.Probe resizePolicy:[@core.v1.ContainerResizePolicy] resources:@core.v1.ResourceRequirements restartPolicy:s restartPolicyRules:[@core.v1.ContainerRestartRule] securityContext:@core.v1.SecurityContext startupProbe:@core.v1.Probe stdin:b stdinOnce:b terminationMessagePath:s terminationMessagePolicy:s tty:b volumeDevices:[@core.v1.VolumeDevice|devicePath] volumeMounts:[@core.v1.VolumeMount|mountPath] workingDir:s
core.v1.ContainerExtendedResourceRequest containerName!:s requestName!:s resourceName!:s
core.v1.ContainerImage names:[s] sizeBytes:i
core.v1.ContainerPort containerPort!:i hostIP:s hostPort:i name:s protocol:s=TCP
core.v1.ContainerResizePolicy resourceName!:s restartPolicy!:s
core.v1.ContainerRestartRule action!:s exitCodes:@core.v1.ContainerRestartRuleOnExitCodes
core.v1.ContainerRestartRuleOnExitCodes operator!:s values:[i|]
core.v1.ContainerState running:@core.v1.ContainerStateRunning terminated:@core.v1.ContainerStateTerminated waiting:@core.v1.ContainerStateWaiting
core.v1.ContainerStateRunning startedAt:s
core.v1.ContainerStateTerminated containerID:s exitCode!:i finishedAt:s message:s reason:s signal:i startedAt:s
core.v1.ContainerStateWaiting message:s reason:s
core.v1.ContainerStatus allocatedResources:{q} allocatedResourcesStatus:[@core.v1.ResourceStatus|name] containerID:s image!:s imageID!:s lastState:@core.v1.ContainerState name!:s ready!:b resources:@core.v1.ResourceRequirements restartCount!:i started:b state:@core.v1.ContainerState stopSignal:s user:@core.v1.ContainerUser volumeMounts:[@core.v1.VolumeMountStatus|mountPath]
core.v1.ContainerUser linux:@core.v1.LinuxContainerUser
core.v1.DaemonEndpoint Port!:i
core.v1.DownwardAPIProjection items:[@core.v1.DownwardAPIVolumeFile]
core.v1.DownwardAPIVolumeFile fieldRef:@core.v1.ObjectFieldSelector mode:i path!:s resourceFieldRef:@core.v1.ResourceFieldSelector
core.v1.DownwardAPIVolumeSource defaultMode:i items:[@core.v1.DownwardAPIVolumeFile]
core.v1.EmptyDirVolumeSource medium:s sizeLimit:q
core.v1.EndpointAddress~ hostname:s ip!:s nodeName:s targetRef:@core.v1.ObjectReference
core.v1.EndpointPort~ appProtocol:s name:s port!:i protocol:s
core.v1.EndpointSubset addresses:[@core.v1.EndpointAddress] notReadyAddresses:[@core.v1.EndpointAddress] ports:[@core.v1.EndpointPort]
core.v1.Endpoints apiVersion:s kind:s metadata:@meta.v1.ObjectMeta subsets:[@core.v1.EndpointSubset]
core.v1.EnvFromSource configMapRef:@core.v1.ConfigMapEnvSource prefix:s secretRef:@core.v1.SecretEnvSource
core.v1.EnvVar name!:s value:s valueFrom:@core.v1.EnvVarSource
core.v1.EnvVarSource configMapKeyRef:@core.v1.ConfigMapKeySelector fieldRef:@core.v1.ObjectFieldSelector fileKeyRef:@core.v1.FileKeySelector resourceFieldRef:@core.v1.ResourceFieldSelector secretKeyRef:@core.v1.SecretKeySelector
core.v1.EphemeralContainer args:[s] command:[s] env:[@core.v1.EnvVar|name] envFrom:[@core.v1.EnvFromSource] image:s imagePullPolicy:s lifecycle:@core.v1.Lifecycle livenessProbe:@core.v1.Probe name!:s ports:[@core.v1.ContainerPort|containerPort,protocol] readinessProbe:@core.v1.Probe resizePolicy:[@core.v1.ContainerResizePolicy] resources:@core.v1.ResourceRequirements restartPolicy:s restartPolicyRules:[@core.v1.ContainerRestartRule] securityContext:@core.v1.SecurityContext startupProbe:@core.v1.Probe stdin:b stdinOnce:b targetContainerName:s terminationMessagePath:s terminationMessagePolicy:s tty:b volumeDevices:[@core.v1.VolumeDevice|devicePath] volumeMounts:[@core.v1.VolumeMount|mountPath] workingDir:s
core.v1.EphemeralVolumeSource volumeClaimTemplate:@core.v1.PersistentVolumeClaimTemplate
core.v1.Event action:s apiVersion:s count:i eventTime:s firstTimestamp:s involvedObject!:@core.v1.ObjectReference kind:s lastTimestamp:s message:s metadata!:@meta.v1.ObjectMeta reason:s related:@core.v1.ObjectReference reportingComponent:s reportingInstance:s series:@core.v1.EventSeries source:@core.v1.EventSource type:s
core.v1.EventSeries count:i lastObservedTime:s
core.v1.EventSource component:s host:s
core.v1.ExecAction command:[s]
core.v1.FCVolumeSource fsType:s lun:i readOnly:b targetWWNs:[s] wwids:[s]
core.v1.FileKeySelector~ key!:s optional:b path!:s volumeName!:s
core.v1.FlexPersistentVolumeSource driver!:s fsType:s options:{s} readOnly:b secretRef:@core.v1.SecretReference
core.v1.FlexVolumeSource driver!:s fsType:s options:{s} readOnly:b secretRef:@core.v1.LocalObjectReference
core.v1.FlockerVolumeSource datasetName:s datasetUUID:s
core.v1.GCEPersistentDiskVolumeSource fsType:s partition:i pdName!:s readOnly:b
core.v1.GRPCAction port!:i service:s
core.v1.GitRepoVolumeSource directory:s repository!:s revision:s
core.v1.GlusterfsPersistentVolumeSource endpoints!:s endpointsNamespace:s path!:s readOnly:b
core.v1.GlusterfsVolumeSource endpoints!:s path!:s readOnly:b
core.v1.HTTPGetAction host:s httpHeaders:[@core.v1.HTTPHeader] path:s port!:q scheme:s
core.v1.HTTPHeader name!:s value!:s
core.v1.HostAlias hostnames:[s] ip!:s
core.v1.HostIP ip!:s
core.v1.HostPathVolumeSource path!:s type:s
core.v1.ISCSIPersistentVolumeSource chapAuthDiscovery:b chapAuthSession:b fsType:s initiatorName:s iqn!:s iscsiInterface:s=default lun!:i portals:[s] readOnly:b secretRef:@core.v1.SecretReference targetPortal!:s
core.v1.ISCSIVolumeSource chapAuthDiscovery:b chapAuthSession:b fsType:s initiatorName:s iqn!:s iscsiInterface:s=default lun!:i portals:[s] readOnly:b secretRef:@core.v1.LocalObjectReference targetPortal!:s
core.v1.ImageVolumeSource pullPolicy:s reference:s
core.v1.ImageVolumeStatus imageRef!:s
core.v1.KeyToPath key!:s mode:i path!:s
core.v1.Lifecycle postStart:@core.v1.LifecycleHandler preStop:@core.v1.LifecycleHandler stopSignal:s
core.v1.LifecycleHandler exec:@core.v1.ExecAction httpGet:@core.v1.HTTPGetAction sleep:@core.v1.SleepAction tcpSocket:@core.v1.TCPSocketAction
core.v1.LimitRange apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@core.v1.LimitRangeSpec
core.v1.LimitRangeItem default:{q} defaultRequest:{q} max:{q} maxLimitRequestRatio:{q} min:{q} type!:s
core.v1.LimitRangeSpec limits!:[@core.v1.LimitRangeItem]
core.v1.LinuxContainerUser gid!:i supplementalGroups:[i] uid!:i
core.v1.LoadBalancerIngress hostname:s ip:s ipMode:s ports:[@core.v1.PortStatus]
core.v1.LoadBalancerStatus ingress:[@core.v1.LoadBalancerIngress]
core.v1.LocalObjectReference~ name:s
core.v1.LocalVolumeSource fsType:s path!:s
core.v1.ModifyVolumeStatus status!:s targetVolumeAttributesClassName:s
core.v1.NFSVolumeSource path!:s readOnly:b server!:s
core.v1.Namespace apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@core.v1.NamespaceSpec status:@core.v1.NamespaceStatus
core.v1.NamespaceCondition lastTransitionTime:s message:s reason:s status!:s type!:s
core.v1.NamespaceSpec finalizers:[s]
core.v1.NamespaceStatus conditions:[@core.v1.NamespaceCondition|type] phase:s
core.v1.Node apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@core.v1.NodeSpec status:@core.v1.NodeStatus
core.v1.NodeAddress address!:s type!:s
core.v1.NodeAffinity preferredDuringSchedulingIgnoredDuringExecution:[@core.v1.PreferredSchedulingTerm] requiredDuringSchedulingIgnoredDuringExecution:@core.v1.NodeSelector
core.v1.NodeAllocatableResourceClaimStatus containers:[s|] resourceClaimName!:s resources!:{q}
core.v1.NodeCondition lastHeartbeatTime:s lastTransitionTime:s message:s reason:s status!:s type!:s
core.v1.NodeConfigSource configMap:@core.v1.ConfigMapNodeConfigSource
core.v1.NodeConfigStatus active:@core.v1.NodeConfigSource assigned:@core.v1.NodeConfigSource error:s lastKnownGood:@core.v1.NodeConfigSource
core.v1.NodeDaemonEndpoints kubeletEndpoint:@core.v1.DaemonEndpoint
core.v1.NodeFeatures supplementalGroupsPolicy:b
core.v1.NodeRuntimeHandler features:@core.v1.NodeRuntimeHandlerFeatures name:s
core.v1.NodeRuntimeHandlerFeatures recursiveReadOnlyMounts:b userNamespaces:b
core.v1.NodeSelectorRequirement key!:s operator!:s values:[s]
core.v1.NodeSelectorTerm~ matchExpressions:[@core.v1.NodeSelectorRequirement] matchFields:[@core.v1.NodeSelectorRequirement]
core.v1.NodeSelector~ nodeSelectorTerms!:[@core.v1.NodeSelectorTerm]
core.v1.NodeSpec configSource:@core.v1.NodeConfigSource externalID:s podCIDR:s podCIDRs:[s|] providerID:s taints:[@core.v1.Taint] unschedulable:b
core.v1.NodeStatus addresses:[@core.v1.NodeAddress|type] allocatable:{q} capacity:{q} conditions:[@core.v1.NodeCondition|type] config:@core.v1.NodeConfigStatus daemonEndpoints:@core.v1.NodeDaemonEndpoints declaredFeatures:[s] features:@core.v1.NodeFeatures images:[@core.v1.ContainerImage] nodeInfo:@core.v1.NodeSystemInfo phase:s runtimeHandlers:[@core.v1.NodeRuntimeHandler] volumesAttached:[@core.v1.AttachedVolume] volumesInUse:[s]
core.v1.NodeSwapStatus capacity:i
core.v1.NodeSystemInfo architecture!:s bootID!:s containerRuntimeVersion!:s kernelVersion!:s kubeProxyVersion!:s kubeletVersion!:s machineID!:s operatingSystem!:s osImage!:s swap:@core.v1.NodeSwapStatus systemUUID!:s
core.v1.ObjectFieldSelector~ apiVersion:s fieldPath!:s
core.v1.ObjectReference~ apiVersion:s fieldPath:s kind:s name:s namespace:s resourceVersion:s uid:s
core.v1.PersistentVolume apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@core.v1.PersistentVolumeSpec status:@core.v1.PersistentVolumeStatus
core.v1.PersistentVolumeClaim apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@core.v1.PersistentVolumeClaimSpec status:@core.v1.PersistentVolumeClaimStatus
core.v1.PersistentVolumeClaimCondition lastProbeTime:s lastTransitionTime:s message:s reason:s status!:s type!:s
core.v1.PersistentVolumeClaimSpec accessModes:[s] dataSource:@core.v1.TypedLocalObjectReference dataSourceRef:@core.v1.TypedObjectReference resources:@core.v1.VolumeResourceRequirements selector:@meta.v1.LabelSelector storageClassName:s volumeAttributesClassName:s volumeMode:s volumeName:s
core.v1.PersistentVolumeClaimStatus accessModes:[s] allocatedResourceStatuses:{s} allocatedResources:{q} capacity:{q} conditions:[@core.v1.PersistentVolumeClaimCondition|type] currentVolumeAttributesClassName:s modifyVolumeStatus:@core.v1.ModifyVolumeStatus phase:s
core.v1.PersistentVolumeClaimTemplate metadata:@meta.v1.ObjectMeta spec!:@core.v1.PersistentVolumeClaimSpec
core.v1.PersistentVolumeClaimVolumeSource claimName!:s readOnly:b
core.v1.PersistentVolumeSpec accessModes:[s] awsElasticBlockStore:@core.v1.AWSElasticBlockStoreVolumeSource azureDisk:@core.v1.AzureDiskVolumeSource azureFile:@core.v1.AzureFilePersistentVolumeSource capacity:{q} cephfs:@core.v1.CephFSPersistentVolumeSource cinder:@core.v1.CinderPersistentVolumeSource claimRef:@core.v1.ObjectReference csi:@core.v1.CSIPersistentVolumeSource fc:@core.v1.FCVolumeSource flexVolume:@core.v1.FlexPersistentVolumeSource flocker:@core.v1.FlockerVolumeSource gcePersistentDisk:@core.v1.GCEPersistentDiskVolumeSource glusterfs:@core.v1.GlusterfsPersistentVolumeSource hostPath:@core.v1.HostPathVolumeSource iscsi:@core.v1.ISCSIPersistentVolumeSource local:@core.v1.LocalVolumeSource mountOptions:[s] nfs:@core.v1.NFSVolumeSource nodeAffinity:@core.v1.VolumeNodeAffinity persistentVolumeReclaimPolicy:s photonPersistentDisk:@core.v1.PhotonPersistentDiskVolumeSource portworxVolume:@core.v1.PortworxVolumeSource quobyte:@core.v1.QuobyteVolumeSource rbd:@core.v1.RBDPersistentVolumeSource scaleIO:@core.v1.ScaleIOPersistentVolumeSource storageClassName:s storageos:@core.v1.StorageOSPersistentVolumeSource volumeAttributesClassName:s volumeMode:s vsphereVolume:@core.v1.VsphereVirtualDiskVolumeSource
core.v1.PersistentVolumeStatus lastPhaseTransitionTime:s message:s phase:s reason:s
core.v1.PhotonPersistentDiskVolumeSource fsType:s pdID!:s
core.v1.Pod apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@core.v1.PodSpec status:@core.v1.PodStatus
core.v1.PodAffinity preferredDuringSchedulingIgnoredDuringExecution:[@core.v1.WeightedPodAffinityTerm] requiredDuringSchedulingIgnoredDuringExecution:[@core.v1.PodAffinityTerm]
core.v1.PodAffinityTerm labelSelector:@meta.v1.LabelSelector matchLabelKeys:[s] mismatchLabelKeys:[s] namespaceSelector:@meta.v1.LabelSelector namespaces:[s] topologyKey!:s
core.v1.PodAntiAffinity preferredDuringSchedulingIgnoredDuringExecution:[@core.v1.WeightedPodAffinityTerm] requiredDuringSchedulingIgnoredDuringExecution:[@core.v1.PodAffinityTerm]
core.v1.PodCertificateProjection certificateChainPath:s credentialBundlePath:s keyPath:s keyType!:s maxExpirationSeconds:i signerName!:s userAnnotations:{s}
core.v1.PodCondition lastProbeTime:s lastTransitionTime:s message:s observedGeneration:i reason:s status!:s type!:s
core.v1.PodDNSConfig nameservers:[s] options:[@core.v1.PodDNSConfigOption] searches:[s]
core.v1.PodDNSConfigOption name:s value:s
core.v1.PodExtendedResourceClaimStatus requestMappings!:[@core.v1.ContainerExtendedResourceRequest] resourceClaimName!:s
core.v1.PodIP ip!:s
core.v1.PodOS name!:s
core.v1.PodReadinessGate conditionType!:s
core.v1.PodResourceClaim name!:s resourceClaimName:s resourceClaimTemplateName:s
core.v1.PodResourceClaimStatus name!:s resourceClaimName:s
core.v1.PodSchedulingGate name!:s
core.v1.PodSchedulingGroup podGroupName:s
core.v1.PodSecurityContext appArmorProfile:@core.v1.AppArmorProfile fsGroup:i fsGroupChangePolicy:s runAsGroup:i runAsNonRoot:b runAsUser:i seLinuxChangePolicy:s seLinuxOptions:@core.v1.SELinuxOptions seccompProfile:@core.v1.SeccompProfile supplementalGroups:[i] supplementalGroupsPolicy:s sysctls:[@core.v1.Sysctl] windowsOptions:@core.v1.WindowsSecurityContextOptions
core.v1.PodSpec activeDeadlineSeconds:i affinity:@core.v1.Affinity automountServiceAccountToken:b containers!:[@core.v1.Container|name] dnsConfig:@core.v1.PodDNSConfig dnsPolicy:s enableServiceLinks:b ephemeralContainers:[@core.v1.EphemeralContainer|name] hostAliases:[@core.v1.HostAlias|ip] hostIPC:b hostNetwork:b hostPID:b hostUsers:b hostname:s hostnameOverride:s imagePullSecrets:[@core.v1.LocalObjectReference|name] initContainers:[@core.v1.Container|name] nodeName:s nodeSelector:{s}~ os:@core.v1.PodOS overhead:{q} preemptionPolicy:s priority:i priorityClassName:s readinessGates:[@core.v1.PodReadinessGate] resourceClaims:[@core.v1.PodResourceClaim|name] resources:@core.v1.ResourceRequirements restartPolicy:s runtimeClassName:s schedulerName:s schedulingGates:[@core.v1.PodSchedulingGate|name] schedulingGroup:@core.v1.PodSchedulingGroup securityContext:@core.v1.PodSecurityContext serviceAccount:s serviceAccountName:s setHostnameAsFQDN:b shareProcessNamespace:b subdomain:s terminationGracePeriodSeconds:i tolerations:[@core.v1.Toleration] topologySpreadConstraints:[@core.v1.TopologySpreadConstraint|topologyKey,whenUnsatisfiable] volumes:[@core.v1.Volume|name]
core.v1.PodStatus allocatedResources:{q} conditions:[@core.v1.PodCondition|type] containerStatuses:[@core.v1.ContainerStatus] ephemeralContainerStatuses:[@core.v1.ContainerStatus] extendedResourceClaimStatus:@core.v1.PodExtendedResourceClaimStatus hostIP:s hostIPs:[@core.v1.HostIP] initContainerStatuses:[@core.v1.ContainerStatus] message:s nodeAllocatableResourceClaimStatuses:[@core.v1.NodeAllocatableResourceClaimStatus] nominatedNodeName:s observedGeneration:i phase:s podIP:s podIPs:[@core.v1.PodIP|ip] qosClass:s reason:s resize:s resourceClaimStatuses:[@core.v1.PodResourceClaimStatus|name] resources:@core.v1.ResourceRequirements startTime:s
core.v1.PodTemplate apiVersion:s kind:s metadata:@meta.v1.ObjectMeta template:@core.v1.PodTemplateSpec
core.v1.PodTemplateSpec metadata:@meta.v1.ObjectMeta spec:@core.v1.PodSpec
core.v1.PortStatus error:s port!:i protocol!:s
core.v1.PortworxVolumeSource fsType:s readOnly:b volumeID!:s
core.v1.PreferredSchedulingTerm preference!:@core.v1.NodeSelectorTerm weight!:i
core.v1.Probe exec:@core.v1.ExecAction failureThreshold:i grpc:@core.v1.GRPCAction httpGet:@core.v1.HTTPGetAction initialDelaySeconds:i periodSeconds:i successThreshold:i tcpSocket:@core.v1.TCPSocketAction terminationGracePeriodSeconds:i timeoutSeconds:i
core.v1.ProjectedVolumeSource defaultMode:i sources:[@core.v1.VolumeProjection]
core.v1.QuobyteVolumeSource group:s readOnly:b registry!:s tenant:s user:s volume!:s
core.v1.RBDPersistentVolumeSource fsType:s image!:s keyring:s=/etc/ceph/keyring monitors!:[s] pool:s=rbd readOnly:b secretRef:@core.v1.SecretReference user:s=admin
core.v1.RBDVolumeSource fsType:s image!:s keyring:s=/etc/ceph/keyring monitors!:[s] pool:s=rbd readOnly:b secretRef:@core.v1.LocalObjectReference user:s=admin
core.v1.ReplicationController apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@core.v1.ReplicationControllerSpec status:@core.v1.ReplicationControllerStatus
core.v1.ReplicationControllerCondition lastTransitionTime:s message:s reason:s status!:s type!:s
core.v1.ReplicationControllerSpec minReadySeconds:i replicas:i selector:{s}~ template:@core.v1.PodTemplateSpec
core.v1.ReplicationControllerStatus availableReplicas:i conditions:[@core.v1.ReplicationControllerCondition|type] fullyLabeledReplicas:i observedGeneration:i readyReplicas:i replicas!:i
core.v1.ResourceClaim name!:s request:s
core.v1.ResourceFieldSelector~ containerName:s divisor:q resource!:s
core.v1.ResourceHealth health:s message:s resourceID!:s
core.v1.ResourceQuota apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@core.v1.ResourceQuotaSpec status:@core.v1.ResourceQuotaStatus
core.v1.ResourceQuotaSpec hard:{q} scopeSelector:@core.v1.ScopeSelector scopes:[s]
core.v1.ResourceQuotaStatus hard:{q} used:{q}
core.v1.ResourceRequirements claims:[@core.v1.ResourceClaim|name] limits:{q} requests:{q}
core.v1.ResourceStatus name!:s resources:[@core.v1.ResourceHealth|resourceID]
core.v1.ScaleIOPersistentVolumeSource fsType:s=xfs gateway!:s protectionDomain:s readOnly:b secretRef!:@core.v1.SecretReference sslEnabled:b storageMode:s=ThinProvisioned storagePool:s system!:s volumeName:s
core.v1.ScaleIOVolumeSource fsType:s=xfs gateway!:s protectionDomain:s readOnly:b secretRef!:@core.v1.LocalObjectReference sslEnabled:b storageMode:s=ThinProvisioned storagePool:s system!:s volumeName:s
core.v1.ScopeSelector~ matchExpressions:[@core.v1.ScopedResourceSelectorRequirement]
core.v1.ScopedResourceSelectorRequirement operator!:s scopeName!:s values:[s]
core.v1.SeccompProfile localhostProfile:s type!:s
core.v1.Secret apiVersion:s data:{s} immutable:b kind:s metadata:@meta.v1.ObjectMeta stringData:{s} type:s
core.v1.SecretEnvSource name:s optional:b
core.v1.SecretKeySelector~ key!:s name:s optional:b
core.v1.SecretProjection items:[@core.v1.KeyToPath] name:s optional:b
core.v1.SecretReference~ name:s namespace:s
core.v1.SecretVolumeSource defaultMode:i items:[@core.v1.KeyToPath] optional:b secretName:s
core.v1.SecurityContext allowPrivilegeEscalation:b appArmorProfile:@core.v1.AppArmorProfile capabilities:@core.v1.Capabilities privileged:b procMount:s readOnlyRootFilesystem:b runAsGroup:i runAsNonRoot:b runAsUser:i seLinuxOptions:@core.v1.SELinuxOptions seccompProfile:@core.v1.SeccompProfile windowsOptions:@core.v1.WindowsSecurityContextOptions
core.v1.Service apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@core.v1.ServiceSpec status:@core.v1.ServiceStatus
core.v1.ServiceAccount apiVersion:s automountServiceAccountToken:b imagePullSecrets:[@core.v1.LocalObjectReference] kind:s metadata:@meta.v1.ObjectMeta secrets:[@core.v1.ObjectReference|name]
core.v1.ServiceAccountTokenProjection audience:s expirationSeconds:i path!:s
core.v1.ServicePort appProtocol:s name:s nodePort:i port!:i protocol:s=TCP targetPort:q
core.v1.ServiceSpec allocateLoadBalancerNodePorts:b clusterIP:s clusterIPs:[s] externalIPs:[s] externalName:s externalTrafficPolicy:s healthCheckNodePort:i internalTrafficPolicy:s ipFamilies:[s] ipFamilyPolicy:s loadBalancerClass:s loadBalancerIP:s loadBalancerSourceRanges:[s] ports:[@core.v1.ServicePort|port,protocol] publishNotReadyAddresses:b selector:{s}~ sessionAffinity:s sessionAffinityConfig:@core.v1.SessionAffinityConfig trafficDistribution:s type:s
core.v1.ServiceStatus conditions:[@meta.v1.Condition|type] loadBalancer:@core.v1.LoadBalancerStatus
core.v1.SessionAffinityConfig clientIP:@core.v1.ClientIPConfig
core.v1.SleepAction seconds!:i
core.v1.StorageOSPersistentVolumeSource fsType:s readOnly:b secretRef:@core.v1.ObjectReference volumeName:s volumeNamespace:s
core.v1.StorageOSVolumeSource fsType:s readOnly:b secretRef:@core.v1.LocalObjectReference volumeName:s volumeNamespace:s
core.v1.Sysctl name!:s value!:s
core.v1.TCPSocketAction host:s port!:q
core.v1.Taint effect!:s key!:s timeAdded:s value:s
core.v1.Toleration effect:s key:s operator:s tolerationSeconds:i value:s
core.v1.TopologySelectorLabelRequirement key!:s values!:[s]
core.v1.TopologySelectorTerm~ matchLabelExpressions:[@core.v1.TopologySelectorLabelRequirement]
core.v1.TopologySpreadConstraint labelSelector:@meta.v1.LabelSelector matchLabelKeys:[s] maxSkew!:i minDomains:i nodeAffinityPolicy:s nodeTaintsPolicy:s topologyKey!:s whenUnsatisfiable!:s
core.v1.TypedLocalObjectReference~ apiGroup:s kind!:s name!:s
core.v1.TypedObjectReference apiGroup:s kind!:s name!:s namespace:s
core.v1.Volume awsElasticBlockStore:@core.v1.AWSElasticBlockStoreVolumeSource azureDisk:@core.v1.AzureDiskVolumeSource azureFile:@core.v1.AzureFileVolumeSource cephfs:@core.v1.CephFSVolumeSource cinder:@core.v1.CinderVolumeSource configMap:@core.v1.ConfigMapVolumeSource csi:@core.v1.CSIVolumeSource downwardAPI:@core.v1.DownwardAPIVolumeSource emptyDir:@core.v1.EmptyDirVolumeSource ephemeral:@core.v1.EphemeralVolumeSource fc:@core.v1.FCVolumeSource flexVolume:@core.v1.FlexVolumeSource flocker:@core.v1.FlockerVolumeSource gcePersistentDisk:@core.v1.GCEPersistentDiskVolumeSource gitRepo:@core.v1.GitRepoVolumeSource glusterfs:@core.v1.GlusterfsVolumeSource hostPath:@core.v1.HostPathVolumeSource image:@core.v1.ImageVolumeSource iscsi:@core.v1.ISCSIVolumeSource name!:s nfs:@core.v1.NFSVolumeSource persistentVolumeClaim:@core.v1.PersistentVolumeClaimVolumeSource photonPersistentDisk:@core.v1.PhotonPersistentDiskVolumeSource portworxVolume:@core.v1.PortworxVolumeSource projected:@core.v1.ProjectedVolumeSource quobyte:@core.v1.QuobyteVolumeSource rbd:@core.v1.RBDVolumeSource scaleIO:@core.v1.ScaleIOVolumeSource secret:@core.v1.SecretVolumeSource storageos:@core.v1.StorageOSVolumeSource vsphereVolume:@core.v1.VsphereVirtualDiskVolumeSource
core.v1.VolumeDevice devicePath!:s name!:s
core.v1.VolumeMount mountPath!:s mountPropagation:s name!:s readOnly:b recursiveReadOnly:s subPath:s subPathExpr:s
core.v1.VolumeMountStatus mountPath!:s name!:s readOnly:b recursiveReadOnly:s volumeStatus:@core.v1.VolumeStatus
core.v1.VolumeNodeAffinity required:@core.v1.NodeSelector
core.v1.VolumeProjection clusterTrustBundle:@core.v1.ClusterTrustBundleProjection configMap:@core.v1.ConfigMapProjection downwardAPI:@core.v1.DownwardAPIProjection podCertificate:@core.v1.PodCertificateProjection secret:@core.v1.SecretProjection serviceAccountToken:@core.v1.ServiceAccountTokenProjection
core.v1.VolumeResourceRequirements limits:{q} requests:{q}
core.v1.VolumeStatus image:@core.v1.ImageVolumeStatus
core.v1.VsphereVirtualDiskVolumeSource fsType:s storagePolicyID:s storagePolicyName:s volumePath!:s
core.v1.WeightedPodAffinityTerm podAffinityTerm!:@core.v1.PodAffinityTerm weight!:i
discovery.v1.Endpoint addresses!:[s|] conditions:@discovery.v1.EndpointConditions deprecatedTopology:{s} hints:@discovery.v1.EndpointHints hostname:s nodeName:s targetRef:@core.v1.ObjectReference zone:s
discovery.v1.EndpointConditions ready:b serving:b terminating:b
discovery.v1.EndpointHints forNodes:[@discovery.v1.ForNode] forZones:[@discovery.v1.ForZone]
discovery.v1.EndpointPort~ appProtocol:s name:s port:i protocol:s
discovery.v1.EndpointSlice addressType!:s apiVersion:s endpoints:[@discovery.v1.Endpoint] kind:s metadata:@meta.v1.ObjectMeta ports:[@discovery.v1.EndpointPort]
discovery.v1.ForNode name!:s
discovery.v1.ForZone name!:s
events.v1.Event action:s apiVersion:s deprecatedCount:i deprecatedFirstTimestamp:s deprecatedLastTimestamp:s deprecatedSource:@core.v1.EventSource eventTime!:s kind:s metadata:@meta.v1.ObjectMeta note:s reason:s regarding:@core.v1.ObjectReference related:@core.v1.ObjectReference reportingController:s reportingInstance:s series:@events.v1.EventSeries type:s
events.v1.EventSeries count!:i lastObservedTime!:s
flowcontrol.v1.ExemptPriorityLevelConfiguration lendablePercent:i nominalConcurrencyShares:i
flowcontrol.v1.FlowDistinguisherMethod type!:s
flowcontrol.v1.FlowSchema apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@flowcontrol.v1.FlowSchemaSpec status:@flowcontrol.v1.FlowSchemaStatus
flowcontrol.v1.FlowSchemaCondition lastTransitionTime:s message:s reason:s status:s type:s
flowcontrol.v1.FlowSchemaSpec distinguisherMethod:@flowcontrol.v1.FlowDistinguisherMethod matchingPrecedence:i priorityLevelConfiguration!:@flowcontrol.v1.PriorityLevelConfigurationReference rules:[@flowcontrol.v1.PolicyRulesWithSubjects]
flowcontrol.v1.FlowSchemaStatus conditions:[@flowcontrol.v1.FlowSchemaCondition|type]
flowcontrol.v1.GroupSubject name!:s
flowcontrol.v1.LimitResponse queuing:@flowcontrol.v1.QueuingConfiguration type!:s
flowcontrol.v1.LimitedPriorityLevelConfiguration borrowingLimitPercent:i lendablePercent:i limitResponse:@flowcontrol.v1.LimitResponse nominalConcurrencyShares:i
flowcontrol.v1.NonResourcePolicyRule nonResourceURLs!:[s|] verbs!:[s|]
flowcontrol.v1.PolicyRulesWithSubjects nonResourceRules:[@flowcontrol.v1.NonResourcePolicyRule] resourceRules:[@flowcontrol.v1.ResourcePolicyRule] subjects!:[@flowcontrol.v1.Subject]
flowcontrol.v1.PriorityLevelConfiguration apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@flowcontrol.v1.PriorityLevelConfigurationSpec status:@flowcontrol.v1.PriorityLevelConfigurationStatus
flowcontrol.v1.PriorityLevelConfigurationCondition lastTransitionTime:s message:s reason:s status:s type:s
flowcontrol.v1.PriorityLevelConfigurationReference name!:s
flowcontrol.v1.PriorityLevelConfigurationSpec exempt:@flowcontrol.v1.ExemptPriorityLevelConfiguration limited:@flowcontrol.v1.LimitedPriorityLevelConfiguration type!:s
flowcontrol.v1.PriorityLevelConfigurationStatus conditions:[@flowcontrol.v1.PriorityLevelConfigurationCondition|type]
flowcontrol.v1.QueuingConfiguration handSize:i queueLengthLimit:i queues:i
flowcontrol.v1.ResourcePolicyRule apiGroups!:[s|] clusterScope:b namespaces:[s|] resources!:[s|] verbs!:[s|]
flowcontrol.v1.ServiceAccountSubject name!:s namespace!:s
flowcontrol.v1.Subject group:@flowcontrol.v1.GroupSubject kind!:s serviceAccount:@flowcontrol.v1.ServiceAccountSubject user:@flowcontrol.v1.UserSubject
flowcontrol.v1.UserSubject name!:s
kube-aggregator.pkg.apis.apiregistration.v1.APIService apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec status:@kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus
kube-aggregator.pkg.apis.apiregistration.v1.APIServiceCondition lastTransitionTime:s message:s reason:s status!:s type!:s
kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec caBundle:s group:s groupPriorityMinimum!:i insecureSkipTLSVerify:b service:@kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference version:s versionPriority!:i
kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus conditions:[@kube-aggregator.pkg.apis.apiregistration.v1.APIServiceCondition|type]
kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference name:s namespace:s port:i
meta.v1.APIGroup apiVersion:s kind:s name!:s preferredVersion:@meta.v1.GroupVersionForDiscovery serverAddressByClientCIDRs:[@meta.v1.ServerAddressByClientCIDR] versions!:[@meta.v1.GroupVersionForDiscovery]
meta.v1.APIResource categories:[s] group:s kind!:s name!:s namespaced!:b shortNames:[s] singularName!:s storageVersionHash:s verbs!:[s] version:s
meta.v1.APIVersions apiVersion:s kind:s serverAddressByClientCIDRs!:[@meta.v1.ServerAddressByClientCIDR] versions!:[s]
meta.v1.Condition lastTransitionTime!:s message!:s observedGeneration:i reason!:s status!:s type!:s
meta.v1.FieldSelectorRequirement key!:s operator!:s values:[s]
meta.v1.GroupVersionForDiscovery groupVersion!:s version!:s
meta.v1.LabelSelectorRequirement key!:s operator!:s values:[s]
meta.v1.LabelSelector~ matchExpressions:[@meta.v1.LabelSelectorRequirement] matchLabels:{s}
meta.v1.ManagedFieldsEntry apiVersion:s fieldsType:s fieldsV1:* manager:s operation:s subresource:s time:s
meta.v1.ObjectMeta annotations:{s} creationTimestamp:s deletionGracePeriodSeconds:i deletionTimestamp:s finalizers:[s|] generateName:s generation:i labels:{s} managedFields:[@meta.v1.ManagedFieldsEntry] name:s namespace:s ownerReferences:[@meta.v1.OwnerReference|uid] resourceVersion:s selfLink:s uid:s
meta.v1.OwnerReference~ apiVersion!:s blockOwnerDeletion:b controller:b kind!:s name!:s uid!:s
meta.v1.Preconditions resourceVersion:s uid:s
meta.v1.ServerAddressByClientCIDR clientCIDR!:s serverAddress!:s
meta.v1.ShardInfo selector!:s
networking.v1.HTTPIngressPath backend!:@networking.v1.IngressBackend path:s pathType!:s
networking.v1.HTTPIngressRuleValue paths!:[@networking.v1.HTTPIngressPath]
networking.v1.IPAddress apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@networking.v1.IPAddressSpec
networking.v1.IPAddressSpec parentRef!:@networking.v1.ParentReference
networking.v1.IPBlock cidr!:s except:[s]
networking.v1.Ingress apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@networking.v1.IngressSpec status:@networking.v1.IngressStatus
networking.v1.IngressBackend resource:@core.v1.TypedLocalObjectReference service:@networking.v1.IngressServiceBackend
networking.v1.IngressClass apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@networking.v1.IngressClassSpec
networking.v1.IngressClassParametersReference apiGroup:s kind!:s name!:s namespace:s scope:s
networking.v1.IngressClassSpec controller:s parameters:@networking.v1.IngressClassParametersReference
networking.v1.IngressLoadBalancerIngress hostname:s ip:s ports:[@networking.v1.IngressPortStatus]
networking.v1.IngressLoadBalancerStatus ingress:[@networking.v1.IngressLoadBalancerIngress]
networking.v1.IngressPortStatus error:s port!:i protocol!:s
networking.v1.IngressRule host:s http:@networking.v1.HTTPIngressRuleValue
networking.v1.IngressServiceBackend name!:s port:@networking.v1.ServiceBackendPort
networking.v1.IngressSpec defaultBackend:@networking.v1.IngressBackend ingressClassName:s rules:[@networking.v1.IngressRule] tls:[@networking.v1.IngressTLS]
networking.v1.IngressStatus loadBalancer:@networking.v1.IngressLoadBalancerStatus
networking.v1.IngressTLS hosts:[s] secretName:s
networking.v1.NetworkPolicy apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@networking.v1.NetworkPolicySpec
networking.v1.NetworkPolicyEgressRule ports:[@networking.v1.NetworkPolicyPort] to:[@networking.v1.NetworkPolicyPeer]
networking.v1.NetworkPolicyIngressRule from:[@networking.v1.NetworkPolicyPeer] ports:[@networking.v1.NetworkPolicyPort]
networking.v1.NetworkPolicyPeer ipBlock:@networking.v1.IPBlock namespaceSelector:@meta.v1.LabelSelector podSelector:@meta.v1.LabelSelector
networking.v1.NetworkPolicyPort endPort:i port:q protocol:s
networking.v1.NetworkPolicySpec egress:[@networking.v1.NetworkPolicyEgressRule] ingress:[@networking.v1.NetworkPolicyIngressRule] podSelector:@meta.v1.LabelSelector policyTypes:[s]
networking.v1.ParentReference group:s name!:s namespace:s resource!:s
networking.v1.ServiceBackendPort~ name:s number:i
networking.v1.ServiceCIDR apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@networking.v1.ServiceCIDRSpec status:@networking.v1.ServiceCIDRStatus
networking.v1.ServiceCIDRSpec cidrs:[s]
networking.v1.ServiceCIDRStatus conditions:[@meta.v1.Condition|type]
node.v1.Overhead podFixed:{q}
node.v1.RuntimeClass apiVersion:s handler!:s kind:s metadata:@meta.v1.ObjectMeta overhead:@node.v1.Overhead scheduling:@node.v1.Scheduling
node.v1.Scheduling nodeSelector:{s}~ tolerations:[@core.v1.Toleration]
policy.v1.Eviction apiVersion:s deleteOptions:@meta.v1.DeleteOptions kind:s metadata:@meta.v1.ObjectMeta
policy.v1.PodDisruptionBudget apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec:@policy.v1.PodDisruptionBudgetSpec status:@policy.v1.PodDisruptionBudgetStatus
policy.v1.PodDisruptionBudgetSpec maxUnavailable:q minAvailable:q selector:@meta.v1.LabelSelector unhealthyPodEvictionPolicy:s
policy.v1.PodDisruptionBudgetStatus conditions:[@meta.v1.Condition|type] currentHealthy:i desiredHealthy:i disruptedPods:{s} disruptionsAllowed:i expectedPods:i observedGeneration:i
rbac.v1.AggregationRule clusterRoleSelectors:[@meta.v1.LabelSelector]
rbac.v1.ClusterRole aggregationRule:@rbac.v1.AggregationRule apiVersion:s kind:s metadata:@meta.v1.ObjectMeta rules:[@rbac.v1.PolicyRule]
rbac.v1.ClusterRoleBinding apiVersion:s kind:s metadata:@meta.v1.ObjectMeta roleRef!:@rbac.v1.RoleRef subjects:[@rbac.v1.Subject]
rbac.v1.PolicyRule apiGroups:[s] nonResourceURLs:[s] resourceNames:[s] resources:[s] verbs!:[s]
rbac.v1.Role apiVersion:s kind:s metadata:@meta.v1.ObjectMeta rules:[@rbac.v1.PolicyRule]
rbac.v1.RoleBinding apiVersion:s kind:s metadata:@meta.v1.ObjectMeta roleRef!:@rbac.v1.RoleRef subjects:[@rbac.v1.Subject]
rbac.v1.RoleRef~ apiGroup:s kind!:s name!:s
rbac.v1.Subject~ apiGroup:s kind!:s name!:s namespace:s
resource.v1.AllocatedDeviceStatus conditions:[@meta.v1.Condition|type] data:* device!:s driver!:s networkData:@resource.v1.NetworkDeviceData pool!:s shareID:s
resource.v1.AllocationResult allocationTimestamp:s devices:@resource.v1.DeviceAllocationResult nodeSelector:@core.v1.NodeSelector
resource.v1.CELDeviceSelector expression!:s
resource.v1.CapacityRequestPolicy default:q validRange:@resource.v1.CapacityRequestPolicyRange validValues:[q]
resource.v1.CapacityRequestPolicyRange max:q min!:q step:q
resource.v1.CapacityRequirements requests:{q}
resource.v1.Counter value!:q
resource.v1.CounterSet counters!:{@resource.v1.Counter} name!:s
resource.v1.Device allNodes:b allowMultipleAllocations:b attributes:{@resource.v1.DeviceAttribute} bindingConditions:[s] bindingFailureConditions:[s] bindsToNode:b capacity:{@resource.v1.DeviceCapacity} consumesCounters:[@resource.v1.DeviceCounterConsumption] name!:s nodeAllocatableResourceMappings:{@resource.v1.NodeAllocatableResourceMapping} nodeName:s nodeSelector:@core.v1.NodeSelector taints:[@resource.v1.DeviceTaint]
resource.v1.DeviceAllocationConfiguration opaque:@resource.v1.OpaqueDeviceConfiguration requests:[s] source!:s
resource.v1.DeviceAllocationResult config:[@resource.v1.DeviceAllocationConfiguration] results:[@resource.v1.DeviceRequestAllocationResult]
resource.v1.DeviceAttribute bool:b bools:[b] int:i ints:[i] string:s strings:[s] version:s versions:[s]
resource.v1.DeviceCapacity requestPolicy:@resource.v1.CapacityRequestPolicy value!:q
resource.v1.DeviceClaim config:[@resource.v1.DeviceClaimConfiguration] constraints:[@resource.v1.DeviceConstraint] requests:[@resource.v1.DeviceRequest]
resource.v1.DeviceClaimConfiguration opaque:@resource.v1.OpaqueDeviceConfiguration requests:[s]
resource.v1.DeviceClass apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@resource.v1.DeviceClassSpec
resource.v1.DeviceClassConfiguration opaque:@resource.v1.OpaqueDeviceConfiguration
resource.v1.DeviceClassSpec config:[@resource.v1.DeviceClassConfiguration] extendedResourceName:s selectors:[@resource.v1.DeviceSelector]
resource.v1.DeviceConstraint distinctAttribute:s matchAttribute:s requests:[s]
resource.v1.DeviceCounterConsumption counterSet!:s counters!:{@resource.v1.Counter}
resource.v1.DeviceRequest exactly:@resource.v1.ExactDeviceRequest firstAvailable:[@resource.v1.DeviceSubRequest] name!:s
resource.v1.DeviceRequestAllocationResult adminAccess:b bindingConditions:[s] bindingFailureConditions:[s] consumedCapacity:{q} device!:s driver!:s pool!:s request!:s shareID:s tolerations:[@resource.v1.DeviceToleration]
resource.v1.DeviceSelector cel:@resource.v1.CELDeviceSelector
resource.v1.DeviceSubRequest allocationMode:s capacity:@resource.v1.CapacityRequirements count:i deviceClassName!:s name!:s selectors:[@resource.v1.DeviceSelector] tolerations:[@resource.v1.DeviceToleration]
resource.v1.DeviceTaint effect!:s key!:s timeAdded:s value:s
resource.v1.DeviceToleration effect:s key:s operator:s=Equal tolerationSeconds:i value:s
resource.v1.ExactDeviceRequest adminAccess:b allocationMode:s capacity:@resource.v1.CapacityRequirements count:i deviceClassName!:s selectors:[@resource.v1.DeviceSelector] tolerations:[@resource.v1.DeviceToleration]
resource.v1.NetworkDeviceData hardwareAddress:s interfaceName:s ips:[s]
resource.v1.NodeAllocatableResourceMapping allocationMultiplier:q capacityKey:s
resource.v1.OpaqueDeviceConfiguration driver!:s parameters!:*
resource.v1.ResourceClaim apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@resource.v1.ResourceClaimSpec status:@resource.v1.ResourceClaimStatus
resource.v1.ResourceClaimConsumerReference apiGroup:s name!:s resource!:s uid!:s
resource.v1.ResourceClaimSpec devices:@resource.v1.DeviceClaim
resource.v1.ResourceClaimStatus allocation:@resource.v1.AllocationResult devices:[@resource.v1.AllocatedDeviceStatus|driver,device,pool,shareID] reservedFor:[@resource.v1.ResourceClaimConsumerReference|uid]
resource.v1.ResourceClaimTemplate apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@resource.v1.ResourceClaimTemplateSpec
resource.v1.ResourceClaimTemplateSpec metadata:@meta.v1.ObjectMeta spec!:@resource.v1.ResourceClaimSpec
resource.v1.ResourcePool generation!:i name!:s resourceSliceCount!:i
resource.v1.ResourceSlice apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@resource.v1.ResourceSliceSpec
resource.v1.ResourceSliceSpec allNodes:b devices:[@resource.v1.Device] driver!:s nodeName:s nodeSelector:@core.v1.NodeSelector perDeviceNodeSelection:b pool!:@resource.v1.ResourcePool sharedCounters:[@resource.v1.CounterSet]
scheduling.v1.PriorityClass apiVersion:s description:s globalDefault:b kind:s metadata:@meta.v1.ObjectMeta preemptionPolicy:s value:i
storage.v1.CSIDriver apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@storage.v1.CSIDriverSpec
storage.v1.CSIDriverSpec attachRequired:b fsGroupPolicy:s nodeAllocatableUpdatePeriodSeconds:i podInfoOnMount:b preventPodSchedulingIfMissing:b requiresRepublish:b seLinuxMount:b serviceAccountTokenInSecrets:b storageCapacity:b tokenRequests:[@storage.v1.TokenRequest] volumeLifecycleModes:[s|]
storage.v1.CSINode apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@storage.v1.CSINodeSpec
storage.v1.CSINodeDriver allocatable:@storage.v1.VolumeNodeResources name!:s nodeID!:s topologyKeys:[s]
storage.v1.CSINodeSpec drivers!:[@storage.v1.CSINodeDriver|name]
storage.v1.CSIStorageCapacity apiVersion:s capacity:q kind:s maximumVolumeSize:q metadata:@meta.v1.ObjectMeta nodeTopology:@meta.v1.LabelSelector storageClassName!:s
storage.v1.StorageClass allowVolumeExpansion:b allowedTopologies:[@core.v1.TopologySelectorTerm] apiVersion:s kind:s metadata:@meta.v1.ObjectMeta mountOptions:[s] parameters:{s} provisioner!:s reclaimPolicy:s volumeBindingMode:s
storage.v1.TokenRequest audience!:s expirationSeconds:i
storage.v1.VolumeAttachment apiVersion:s kind:s metadata:@meta.v1.ObjectMeta spec!:@storage.v1.VolumeAttachmentSpec status:@storage.v1.VolumeAttachmentStatus
storage.v1.VolumeAttachmentSource inlineVolumeSpec:@core.v1.PersistentVolumeSpec persistentVolumeName:s
storage.v1.VolumeAttachmentSpec attacher!:s nodeName!:s source!:@storage.v1.VolumeAttachmentSource
storage.v1.VolumeAttachmentStatus attachError:@storage.v1.VolumeError attached!:b attachmentMetadata:{s} detachError:@storage.v1.VolumeError
storage.v1.VolumeAttributesClass apiVersion:s driverName!:s kind:s metadata:@meta.v1.ObjectMeta parameters:{s}
storage.v1.VolumeError errorCode:i message:s time:s
storage.v1.VolumeNodeResources count:i
version.Info buildDate!:s compiler!:s emulationMajor:s emulationMinor:s gitCommit!:s gitTreeState!:s gitVersion!:s goVersion!:s major!:s minCompatibilityMajor:s minCompatibilityMinor:s minor!:s platform!:s
`

/** What is served before anything is defined. */
export const builtInKinds: string = `
v1 bindings Binding namespaced create core.v1.Binding -
v1 componentstatuses ComponentStatus cluster all core.v1.ComponentStatus cs
v1 configmaps ConfigMap namespaced all core.v1.ConfigMap cm
v1 endpoints Endpoints namespaced all core.v1.Endpoints ep
v1 events Event namespaced all core.v1.Event ev
v1 limitranges LimitRange namespaced all core.v1.LimitRange limits
v1 namespaces Namespace cluster all core.v1.Namespace ns finalize status
v1 nodes Node cluster all core.v1.Node no proxy status
v1 persistentvolumeclaims PersistentVolumeClaim namespaced all core.v1.PersistentVolumeClaim pvc status
v1 persistentvolumes PersistentVolume cluster all core.v1.PersistentVolume pv status
v1 pods Pod namespaced all core.v1.Pod po attach binding ephemeralcontainers eviction exec log portforward proxy resize status
v1 podtemplates PodTemplate namespaced all core.v1.PodTemplate -
v1 replicationcontrollers ReplicationController namespaced all core.v1.ReplicationController rc scale status
v1 resourcequotas ResourceQuota namespaced all core.v1.ResourceQuota quota status
v1 secrets Secret namespaced all core.v1.Secret -
v1 serviceaccounts ServiceAccount namespaced all core.v1.ServiceAccount sa token
v1 services Service namespaced all core.v1.Service svc proxy status
apiregistration.k8s.io/v1 apiservices APIService cluster all kube-aggregator.pkg.apis.apiregistration.v1.APIService - status
apps/v1 controllerrevisions ControllerRevision namespaced all apps.v1.ControllerRevision -
apps/v1 daemonsets DaemonSet namespaced all apps.v1.DaemonSet ds status
apps/v1 deployments Deployment namespaced all apps.v1.Deployment deploy scale status
apps/v1 replicasets ReplicaSet namespaced all apps.v1.ReplicaSet rs scale status
apps/v1 statefulsets StatefulSet namespaced all apps.v1.StatefulSet sts scale status
events.k8s.io/v1 events Event namespaced all events.v1.Event ev
authentication.k8s.io/v1 selfsubjectreviews SelfSubjectReview cluster create authentication.v1.SelfSubjectReview -
authentication.k8s.io/v1 tokenreviews TokenReview cluster create authentication.v1.TokenReview -
authorization.k8s.io/v1 localsubjectaccessreviews LocalSubjectAccessReview namespaced create authorization.v1.LocalSubjectAccessReview -
authorization.k8s.io/v1 selfsubjectaccessreviews SelfSubjectAccessReview cluster create authorization.v1.SelfSubjectAccessReview -
authorization.k8s.io/v1 selfsubjectrulesreviews SelfSubjectRulesReview cluster create authorization.v1.SelfSubjectRulesReview -
authorization.k8s.io/v1 subjectaccessreviews SubjectAccessReview cluster create authorization.v1.SubjectAccessReview -
autoscaling/v2 horizontalpodautoscalers HorizontalPodAutoscaler namespaced all autoscaling.v2.HorizontalPodAutoscaler hpa status
autoscaling/v1 horizontalpodautoscalers HorizontalPodAutoscaler namespaced all autoscaling.v1.HorizontalPodAutoscaler hpa status
batch/v1 cronjobs CronJob namespaced all batch.v1.CronJob cj status
batch/v1 jobs Job namespaced all batch.v1.Job - status
certificates.k8s.io/v1 certificatesigningrequests CertificateSigningRequest cluster all certificates.v1.CertificateSigningRequest csr approval status
networking.k8s.io/v1 ingressclasses IngressClass cluster all networking.v1.IngressClass -
networking.k8s.io/v1 ingresses Ingress namespaced all networking.v1.Ingress ing status
networking.k8s.io/v1 ipaddresses IPAddress cluster all networking.v1.IPAddress ip
networking.k8s.io/v1 networkpolicies NetworkPolicy namespaced all networking.v1.NetworkPolicy netpol
networking.k8s.io/v1 servicecidrs ServiceCIDR cluster all networking.v1.ServiceCIDR - status
policy/v1 poddisruptionbudgets PodDisruptionBudget namespaced all policy.v1.PodDisruptionBudget pdb status
rbac.authorization.k8s.io/v1 clusterrolebindings ClusterRoleBinding cluster all rbac.v1.ClusterRoleBinding -
rbac.authorization.k8s.io/v1 clusterroles ClusterRole cluster all rbac.v1.ClusterRole -
rbac.authorization.k8s.io/v1 rolebindings RoleBinding namespaced all rbac.v1.RoleBinding -
rbac.authorization.k8s.io/v1 roles Role namespaced all rbac.v1.Role -
storage.k8s.io/v1 csidrivers CSIDriver cluster all storage.v1.CSIDriver -
storage.k8s.io/v1 csinodes CSINode cluster all storage.v1.CSINode -
storage.k8s.io/v1 csistoragecapacities CSIStorageCapacity namespaced all storage.v1.CSIStorageCapacity -
storage.k8s.io/v1 storageclasses StorageClass cluster all storage.v1.StorageClass sc
storage.k8s.io/v1 volumeattachments VolumeAttachment cluster all storage.v1.VolumeAttachment - status
storage.k8s.io/v1 volumeattributesclasses VolumeAttributesClass cluster all storage.v1.VolumeAttributesClass vac
admissionregistration.k8s.io/v1 mutatingadmissionpolicies MutatingAdmissionPolicy cluster all admissionregistration.v1.MutatingAdmissionPolicy -
admissionregistration.k8s.io/v1 mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding cluster all admissionregistration.v1.MutatingAdmissionPolicyBinding -
admissionregistration.k8s.io/v1 mutatingwebhookconfigurations MutatingWebhookConfiguration cluster all admissionregistration.v1.MutatingWebhookConfiguration -
admissionregistration.k8s.io/v1 validatingadmissionpolicies ValidatingAdmissionPolicy cluster all admissionregistration.v1.ValidatingAdmissionPolicy - status
admissionregistration.k8s.io/v1 validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding cluster all admissionregistration.v1.ValidatingAdmissionPolicyBinding -
admissionregistration.k8s.io/v1 validatingwebhookconfigurations ValidatingWebhookConfiguration cluster all admissionregistration.v1.ValidatingWebhookConfiguration -
apiextensions.k8s.io/v1 customresourcedefinitions CustomResourceDefinition cluster all apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition crd,crds status
scheduling.k8s.io/v1 priorityclasses PriorityClass cluster all scheduling.v1.PriorityClass pc
coordination.k8s.io/v1 leases Lease namespaced all coordination.v1.Lease -
node.k8s.io/v1 runtimeclasses RuntimeClass cluster all node.v1.RuntimeClass -
discovery.k8s.io/v1 endpointslices EndpointSlice namespaced all discovery.v1.EndpointSlice -
resource.k8s.io/v1 deviceclasses DeviceClass cluster all resource.v1.DeviceClass -
resource.k8s.io/v1 resourceclaims ResourceClaim namespaced all resource.v1.ResourceClaim - status
resource.k8s.io/v1 resourceclaimtemplates ResourceClaimTemplate namespaced all resource.v1.ResourceClaimTemplate -
resource.k8s.io/v1 resourceslices ResourceSlice cluster all resource.v1.ResourceSlice -
flowcontrol.apiserver.k8s.io/v1 flowschemas FlowSchema cluster all flowcontrol.v1.FlowSchema - status
flowcontrol.apiserver.k8s.io/v1 prioritylevelconfigurations PriorityLevelConfiguration cluster all flowcontrol.v1.PriorityLevelConfiguration - status
`
