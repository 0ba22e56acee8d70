import Foundation
import Host
import Testing
import Training

private func shortage(sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void) -> MemoryShortage? {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  } catch let error as MemoryShortage {
    return error
  } catch {
    Issue.record("another error: \(error)", sourceLocation: sourceLocation)
  }
  return nil
}

@Test func aStepThatDoesNotFitIsRefusedWithItsNeeds() throws {
  let tiny = try TinyCorpus(), folder = tiny.folder + "/run", recipe = tiny.recipe { $0.batch = 64 }
  let little = AvailableMemory(bytes: 2 << 20, source: "a test")
  let error = try #require(shortage { _ = try Trainer(recipe, folder: folder, memory: little).run() })
  #expect(error.available == little && error.need.total > little.bytes)
  #expect(error.need.plan.map { $0 > 64 * 33 * 33 * 4 } == true && error.need.optimizer == 2 * error.need.weights)
  for word in ["a test", "2.0 MiB", "batch (64)", "resnet10", "bfloat16"] { #expect(error.description.contains(word), "\(error)") }
  #expect(!FileManager.default.fileExists(atPath: folder + "/last.safetensors"))
  // Exactly what it asks for is enough.
  let enough = AvailableMemory(bytes: error.need.total, source: "a test")
  var done = 0
  _ = try Trainer(recipe, folder: folder, memory: enough).run(shouldStop: { done += 1; return done == 1 })
}

@Test func weightsThatDoNotFitAreRefusedBeforeTheyAreMade() throws {
  let tiny = try TinyCorpus()
  let error = shortage { _ = try Trainer(tiny.recipe(), folder: tiny.folder + "/run", memory: .init(bytes: 1000, source: "a test")) }
  #expect(error?.need.plan == nil && error?.description.contains("more than") == true)
}
