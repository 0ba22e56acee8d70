import ArgumentParser
import Engine
import Foundation
import Host
import Networks
import Training

struct Step: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "One training step on given weights and a given batch, every number written out.",
    discussion: """
      To check this program against other software, such as your own PyTorch network. The weights are a safetensors file with exactly \
      the network's arrays under torchvision's or timm's names, classifier included. The batch has `image` [N,C,H,W] and `target`: \
      F32 of the logits' shape or I64 class indices. The result has `logits`, `loss`, `gradient.<name>` and `statistic.<name>`.

      Example: psimagenet step --network resnet18 --settings '{"inputs": 3}' --classes 10 --weights w.safetensors --batch b.safetensors \
      --out r.safetensors
      Example: psimagenet step --network vgg16 --classes 1000 --list
      """)

  @Option(help: "The network: \(BackboneCatalog.all.map { $0.name }.joined(separator: ", ")).") var network: String
  @Option(help: "Its settings that are not the usual ones, as JSON.") var settings = "{}"
  @Option(help: "Classes of the classifier.") var classes = 1000
  @Option(help: "The weights (safetensors).") var weights: String?
  @Option(help: "The batch (safetensors).") var batch: String?
  @Option(help: "The result to write (safetensors).") var out: String?
  @Option(help: "\(Precision.allCases.map(\.rawValue).joined(separator: " or ")).") var precision = Precision.float32.rawValue
  @Option(help: "With --list: the picture size of networks that are bound to one.") var side: Int?
  @Flag(help: "Print the names and shapes of the arrays instead.") var list = false
  @OptionGroup var output: OutputOptions

  mutating func run() throws {
    guard let precision = Precision(rawValue: precision) else { throw ValidationError("unknown precision \(precision)") }
    let settings = try CanonicalJSON.value(JSONValue.self, from: Data(settings.utf8), path: "--settings")
    let step = try SingleStep(network: network, settings: settings, classes: classes, precision: precision)
    if list {
      try output.print(step.arrays(side: side)) { arrays in
        arrays.map { "\($0.name) [\($0.shape.map(String.init).joined(separator: ", "))] \($0.role.rawValue)" }.joined(separator: "\n")
      }
      return
    }
    guard let weights, let batch, let out else { throw ValidationError("--weights, --batch and --out are needed, or --list") }
    let entries = try step.run(weights: weights, batch: batch)
    try SafeTensors.write(entries, to: out)
    try output.print(entries.map(\.name)) { "\($0.count) arrays: \(out)" }
  }
}
