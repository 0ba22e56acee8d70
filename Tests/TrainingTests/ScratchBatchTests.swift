import Corpora
import Foundation
import Pretexts
import Tensors
import Testing
import Training

@Test func scratchBatches() throws {
  guard let folder = ProcessInfo.processInfo.environment["PSI_SCRATCH"] else { return }
  let corpus = try Corpus(opening: folder)
  for type in PretextTaskCatalog.all {
    try dump(type.init(), [], type.name)
  }
  for type in AugmentationCatalog.all { try dump(FrameClass(label: "kind"), [type.init()], "aug-" + type.name) }
  func dump(_ task: any PretextTask, _ augmentations: [any Augmentation], _ name: String) throws {
    let images = try ImageSet(corpus, split: .train, include: [:], exclude: ["beam": ["dark"]], task: task, augmentations: augmentations)
    let maker = BatchMaker(images: images, task: task, augmentations: augmentations, scaling: try images.scaling()!, seed: 1, batch: 12)
    let clock = ContinuousClock(), began = clock.now
    let batch = try maker.training(step: 0)
    var text = ""
    for _ in 0..<3 { _ = try maker.training(step: 1) }
    text += "\(name) \((clock.now - began) / 48) an example\n"
    for (field, tensor) in batch.sorted(by: { $0.key < $1.key }) {
      let data = tensor.elements.withUnsafeBufferPointer { Data(buffer: $0) }
      try data.write(to: URL(fileURLWithPath: "/tmp/pscratch/\(name)__\(field)__\(tensor.shape.extents.map(String.init).joined(separator: "x")).f32"))
    }
    print("SCRATCH", text)
  }
}
