import Engine
import Testing
import Training

@Test func aPreviewCountsWhatTheRunHasAndLeavesItUntouched() throws {
  let tiny = try TinyCorpus()
  let recipe = tiny.recipe { $0.labelSmoothing = 0.1 }
  let trainer = try Trainer(recipe, folder: tiny.folder + "/run"), before = trainer.checkpoint.weights
  let preview = try trainer.preview(), batch = try trainer.exampleBatch()
  #expect(preview.trainingPictures == 20 && preview.validationPictures == 20 && preview.side == 33)
  #expect(preview.parameters == before.slots.filter { $0.role == .trainable }.reduce(0) { $0 + $1.range.count })
  // Answers that nobody reads one by one are counted.
  var many = preview
  many.classes = (1...1005).map { "c\($0)" }
  #expect(many.text.contains("1005 answers: c1; c2; c3; c4; …\n") && preview.text.contains("as recorded; mirrored"))
  #expect(preview.stepSeconds > 0 && preview.seconds > 11 * preview.stepSeconds && preview.timedSteps == 5 && preview.passSeconds > 0)
  // Without time for more, one step is run and counts.
  let hurried = try trainer.preview(limit: .zero)
  #expect(hurried.timedSteps == 1 && hurried.stepSeconds > 0 && hurried.passSeconds > 0)
  #expect(trainer.checkpoint.weights == before && trainer.step == 0)
  #expect(batch.answers.count == 8 && Set(batch.answers).isSubset(of: ["as recorded", "mirrored"]))
  #expect(batch.answers == batch.fields["mirrored"]!.elements.map { $0 == 1 ? "mirrored" : "as recorded" })
  #expect(try LabelledBatch(first: recipe, path: "").fields == batch.fields)
  // The run is the same after a look ahead.
  #expect(try trainer.run() == .finished)
  let other = try Trainer(recipe, folder: tiny.folder + "/other")
  #expect(try other.run() == .finished && other.checkpoint.weights == trainer.checkpoint.weights)
}

/// Of several tasks each has its own pictures and answers, in the order of the recipe, whatever their names.
@Test(arguments: [["flip", "crop-position"], ["crop-position", "flip"]]) func aBatchOfSeveralTasksKeepsTheirOrder(tasks: [String]) throws {
  let tiny = try TinyCorpus()
  let recipe = tiny.recipe {
    $0.task = Choice(name: "multi", settings: .object(["tasks": .array(tasks.map { .object(["name": .string($0)]) })]))
  }
  let batch = try LabelledBatch(first: recipe, path: "")
  #expect(batch.parts.map(\.name) == tasks && batch.parts.allSatisfy { part in part.fields.contains("\(part.name).view") })
  #expect(batch.parts.map(\.fields.count) == [2, 2])
  let flip = try #require(batch.parts.first { $0.name == "flip" })
  #expect(flip.answers == batch.fields["flip.mirrored"]!.elements.map { $0 == 1 ? "flip: mirrored" : "flip: as recorded" })
  #expect(batch.answers == zip(batch.parts[0].answers, batch.parts[1].answers).map { "\($0); \($1)" })
}
