/// The files of a published folder.
public enum ModelFile: String, CaseIterable, Sendable {
  /// The backbone under torchvision's names; the only file of the folder that timm takes for weights.
  case trunk = "model.safetensors"
  /// What the pretext task put on top, in the same format. Not `.safetensors`, so that no loader mistakes it for the model.
  case head = "head.st"
  case configuration = "config.json"
  case card = "README.md"
  case provenance = "provenance.json"
  /// The training recipe with every default written out.
  case recipe = "train.json"
  case metrics = "metrics.jsonl"
  case license = "LICENSE"
  /// A fixed input and what the network makes of it.
  case reference = "reference.safetensors"

  /// The list of checksums, the only file that is not in it.
  static let checksums = "SHA256SUMS"

  func path(in folder: String) -> String { "\(folder)/\(rawValue)" }
}
