/** Words that are one token in every synthetic model, so that ordinary English prompts have ordinary lengths. */
export const ENGLISH_WORDS: readonly string[] = `
the be to of and a in that have it for not on with he as you do at this but his by from they we say her she or an will my one
all would there their what so up out if about who get which go me when make can like time no just him know take people into year
your good some could them see other than then now look only come its over think also back after use two how our work first well
way even new want because any these give day most us is are was were been has had did does said made more very much many long
little own old right big high different small large next early young important few public bad same able user assistant system
write read tell story poem list short please explain describe answer question question name number word text code program server
computer machine memory model token queue wait answer request network process thread data file line page city water river dam
house world life hand part child eye woman man place week case point company group problem fact help hello thanks thank may must
should here where why again never always every each between under while last three four five ten hundred great still try find
show need feel become leave put mean keep let begin seem talk turn start might play run move live believe bring happen before
night home study book job business issue side kind head far black white money service power hour game end member law car
`.trim().split(/\s+/)
