import type { Engine } from './engine.js'
import type { FakeSettings } from './options.js'
import { BUILD_INFO } from './answer-format.js'
import { generationParams } from './generation-params.js'

const TEMPLATE = "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"

export function propsJson (settings: FakeSettings) {
  return {
    default_generation_settings: {
      params: generationParams({ maxTokens: -1, stream: false, ignoreEos: false }),
      n_ctx: settings.slotContextTokens
    },
    total_slots: settings.slots,
    model_alias: settings.alias,
    model_ftype: 'all F32',
    model_path: `${settings.alias}.gguf`,
    modalities: { vision: false, video: false, audio: false },
    media_marker: '<__media__>',
    endpoint_slots: true,
    endpoint_props: false,
    endpoint_metrics: true,
    ui: true,
    ui_settings: {},
    chat_template: TEMPLATE,
    chat_template_caps: {
      supports_object_arguments: false,
      supports_parallel_tool_calls: false,
      supports_preserve_reasoning: false,
      supports_reasoning_effort: false,
      supports_string_content: true,
      supports_system_role: true,
      supports_tool_calls: false,
      supports_tools: false,
      supports_typed_content: false
    },
    bos_token: '<s>',
    eos_token: '</s>',
    build_info: BUILD_INFO,
    is_sleeping: false,
    cors_proxy_enabled: false
  }
}

export function modelsJson (settings: FakeSettings) {
  const name = settings.alias
  return {
    models: [{
      name,
      model: name,
      modified_at: '',
      size: '',
      digest: '',
      type: 'model',
      description: '',
      tags: [''],
      capabilities: ['completion'],
      parameters: '',
      details: { parent_model: '', format: 'gguf', family: '', families: [''], parameter_size: '', quantization_level: '' }
    }],
    object: 'list',
    data: [{
      id: name,
      aliases: [name],
      tags: [],
      object: 'model',
      architecture: { input_modalities: ['text'], output_modalities: ['text'] },
      created: 1,
      owned_by: 'llamacpp',
      meta: {
        vocab_type: 1,
        n_vocab: 32000,
        n_ctx: settings.slotContextTokens,
        n_ctx_train: settings.slotContextTokens,
        n_embd: 8,
        n_params: 1,
        size: 1,
        ftype: 'all F32'
      }
    }]
  }
}

/** As in llama-server a slot that never worked has only the first four fields. */
export function slotsJson (engine: Engine) {
  return engine.slots.map(slot => {
    const base = { id: slot.id, n_ctx: engine.options.slotContextTokens, speculative: false, is_processing: slot.task !== undefined }
    if (slot.task === undefined && slot.lastUsedStep < 0) return base
    const measured = slot.measured
    const maxTokens = slot.task?.maxTokens ?? -1
    return {
      ...base,
      id_task: slot.task?.id ?? 0,
      n_prompt_tokens: measured.promptTokens,
      n_prompt_tokens_processed: Math.max(measured.promptTokens - measured.cachedTokens - slot.prefillLeft, 0),
      n_prompt_tokens_cache: measured.cachedTokens,
      params: generationParams({ maxTokens, stream: true, ignoreEos: false }),
      next_token: [{
        has_next_token: slot.task !== undefined,
        has_new_line: false,
        n_remain: slot.task === undefined ? -1 : maxTokens - measured.predictedTokens,
        n_decoded: measured.predictedTokens
      }]
    }
  })
}
