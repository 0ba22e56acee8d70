/// The part of a model card that tells how to load the weights; every snippet was run against the versions it names.
struct ModelUsage {
  let configuration: ModelConfiguration
  init(_ configuration: ModelConfiguration) { self.configuration = configuration }

  var text: String { "## Use\n\n" + [psimagenet, safetensors, torch].joined(separator: "\n") }

  private var scaling: (mean: Double, deviation: Double, least: Double) {
    let scaling = configuration.meaning.scaling
    return (scaling.mean, scaling.deviation, scaling.minimumWeight)
  }

  private var psimagenet: String {
    """
    PSImageNet (checks everything before it gives anything):

    ```swift
    let model = try PublishedModel(reading: folder)
    let codewords = try model.activations(of: pictures)["codeword"]   // [N,1,S,S] -> [N,\(configuration.featureCount)]
    ```

    """
  }

  private var safetensors: String {
    """
    NumPy (safetensors 0.8.0):

    ```python
    import numpy as np
    from safetensors.numpy import load_file
    weights = load_file("model.safetensors")            # torchvision's names, float32
    reference = load_file("reference.safetensors")      # picture, weight, input, codeword, stage.1, ..., logits
    x = np.where(reference["weight"] >= \(scaling.least), (reference["picture"] - \(scaling.mean)) / \(scaling.deviation), 0)[:, None]
    assert np.allclose(x, reference["input"], atol=1e-4 * abs(reference["input"]).max())
    ```

    """
  }

  private var torch: String {
    // A network for colour sees the grey picture three times.
    let inputs = configuration.modelArguments.channels, input = inputs == 1 ? "reference[\"input\"]" : "reference[\"input\"].expand(-1, \(inputs), -1, -1)"
    let check = """
      model.eval()
      with torch.no_grad():
          codeword = model(\(input))            # [8,\(configuration.featureCount)]
      assert (codeword - reference["codeword"]).abs().max() <= 1e-4 * reference["codeword"].abs().max()
      """
    let load = """
      import torch
      from torch import nn
      from safetensors.torch import load_file
      weights, reference = load_file("model.safetensors"), load_file("reference.safetensors")
      """
    switch configuration.architecture {
    case "resnet18":
      return """
        timm (1.0.31): mean, std and size come from `config.json`; `num_classes=7` adds a fresh head, `features_only=True` gives the stages.

        ```python
        import timm
        model = timm.create_model("local-dir:.", pretrained=True)
        ```

        torchvision (0.29.2), strictly:

        ```python
        \(load)
        from torchvision.models import resnet18
        model = resnet18()
        model.conv1, model.fc = nn.Conv2d(\(inputs), 64, 7, 2, 3, bias=False), nn.Identity()
        model.load_state_dict(weights, strict=True)
        \(check)
        ```

        """
    case "resnet10":
      return """
        timm has no such architecture (its `resnet10t` is another network), so `timm.create_model` refuses this folder.
        torchvision (0.29.2) has its parts; strictly:

        ```python
        \(load)
        from torchvision.models.resnet import BasicBlock, ResNet
        model = ResNet(BasicBlock, [1, 1, 1, 1])
        model.conv1, model.fc = nn.Conv2d(\(inputs), 64, 7, 2, 3, bias=False), nn.Identity()
        model.load_state_dict(weights, strict=True)
        \(check)
        ```

        """
    default:
      return """
        `timm.create_model` refuses the folder: timm lacks this architecture (`\(configuration.meaning.backbone.name)` with the settings in
        `config.json`) or was not tried with it. The arrays have the names that the network has in PyTorch's libraries.

        """
    }
  }
}
